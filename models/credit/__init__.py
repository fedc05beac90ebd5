"""Credits: an append-only ledger, the account that sums it up, and the budgets and alerts beside it.

Each line changes two numbers of the account: `amount` changes `balance`, `reserved_change` changes `reserved`.

| kind        | amount | reserved_change |                                                     |
| grant       | +n     | 0               | the month's grant, or an admin's                    |
| expiry      | -n     | 0               | what was left of the month's grant at its end       |
| reservation | 0      | +price          | before a call                                       |
| charge      | -cost  | -cost           | the call matched; settles the reservation           |
| release     | 0      | -price          | no match or an error; settles the reservation       |
| release     | 0      | cost - price    | what a charge left of its price; settles the charge |

So `balance` is the sum of the amounts, `reserved` the sum of the reserved changes, and what may still be
spent is `balance - reserved`. Whole credits throughout.
"""
