"""Whether a rule applies to a run: from what day on, and to which profile of system.

Law: a rule that does not apply is evaluated and shown all the same; only what it decides differs.
"""

from collections.abc import Set as AbstractSet

from evidence.packs import Rule


def inapplicable(rule: Rule, day: str, profiles: AbstractSet[str]) -> str:
    """Why a rule does not apply; empty when it does.

    Args:
        rule: the rule. Where it applies from several days, by profile, those of the profiles asked for count, else all;
            the earliest decides.
        day: the day that is asked about, `YYYY-MM-DD`.
        profiles: the profiles asked for.
    """
    if rule.profile is not None and rule.profile not in profiles:
        return f"only for the profile {rule.profile}, which was not asked for"
    days = {name: since for name, since in rule.applies_from.items() if name in profiles} or rule.applies_from
    since = min(days.values(), default=day)
    return f"applies from {since}, and this is about {day}" if day < since else ""
