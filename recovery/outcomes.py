"""How a case can end, as the member of staff who closes it says."""

OUTCOMES = {
    "solved": "问题已解决",
    "compensated": "已补偿，顾客接受",
    "explained": "已说明，顾客理解",
    "no_fault": "查明不是我方责任",
    "unreachable": "联系不上顾客",
    "withdrawn": "顾客撤回",
    "duplicate": "与另一个案子重复",
    "referred": "已转有关部门或法律途径",
}
"""Name and words of each outcome."""
