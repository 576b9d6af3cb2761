"""
Makes the calls of test/clients/python.test.ts, and prints the log lines of each as JSON. Standard input is a list of cases:
{"options", "calls": [[name, ...arguments]]}.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from appointment_emissions import RealtimeAppointments


def lines_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    bot = RealtimeAppointments(
        **case["options"],
        logger=lambda level, message, fields: lines.append({"level": level, "message": message, **fields}),
    )
    for name, *args in case["calls"]:
        if name == "close":
            bot.close()
        else:
            lines.append({"result": getattr(bot, name)(*args)})
    bot.close()
    return lines


if __name__ == "__main__":
    print(json.dumps([lines_of(case) for case in json.load(sys.stdin)]))
