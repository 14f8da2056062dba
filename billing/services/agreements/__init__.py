"""Deduction agreements (委托代扣): signed, limited, paused, ended.

What the channel says of an agreement decides; the patient may narrow it or end it.
"""
