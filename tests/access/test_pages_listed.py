"""No page of the portal stays unread: the browser's list is held to the resolver's."""

from __future__ import annotations

from tests.e2e.demo.pages import NO_PAGES, PAGES, names_of_addresses


def test_no_page_is_forgotten() -> None:
    known = set(PAGES) | NO_PAGES
    assert names_of_addresses() - known == set(), "measure the new page, or say why it is none"
    assert known - names_of_addresses() == set(), "this address is gone"


def test_no_page_is_both() -> None:
    assert set(PAGES) & NO_PAGES == set()
