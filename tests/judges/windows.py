"""Tells when windows are open, by Python's zoneinfo and by counting minutes.

Reads a JSON list of {zone, days, start, end, at, count}: days from Monday, minutes from midnight, seconds since 1970.
Prints for each the openings that are not over at `at`, as pairs of seconds since 1970.
"""
import datetime
import json
import sys
import zoneinfo

MINUTE = 60
QUARTER = 15 * MINUTE
DAY = 86_400


def shown(zone, at):
    return datetime.datetime.fromtimestamp(at, zone).replace(tzinfo=None)


def opening(zone, case, day):
    midnight = datetime.datetime.combine(day, datetime.time())
    start, end = (midnight + datetime.timedelta(minutes=case[key]) for key in ("start", "end"))
    utc = int(midnight.replace(tzinfo=datetime.timezone.utc).timestamp())
    quarters = range(utc - DAY, utc + 3 * DAY, QUARTER)
    within = [at for at in quarters if start <= shown(zone, at) < end]
    if within:
        opens, closes = within[0], within[-1] + MINUTE
        while start <= shown(zone, opens - MINUTE) < end:
            opens -= MINUTE
        while start <= shown(zone, closes) < end:
            closes += MINUTE
        return opens, closes
    change = next(at for at in quarters if shown(zone, at) >= end)
    while shown(zone, change - MINUTE) >= end:
        change -= MINUTE
    return change, change + (case["end"] - case["start"]) * 60


def openings(case):
    zone, at, told = zoneinfo.ZoneInfo(case["zone"]), case["at"], []
    day = shown(zone, at).date() - datetime.timedelta(days=3)
    while len(told) < case["count"]:
        if day.weekday() in case["days"]:
            opens, closes = opening(zone, case, day)
            if closes > at:
                told.append((opens, closes))
                at = closes
        day += datetime.timedelta(days=1)
    return told


json.dump([openings(case) for case in json.load(sys.stdin)], sys.stdout)
