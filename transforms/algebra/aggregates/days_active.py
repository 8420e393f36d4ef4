"""`days_active`: on how many days there was an event."""

from schemas.definitions.window import CalendarZone
from transforms.algebra.counting import Different
from transforms.algebra.measure import Values
from transforms.algebra.order import Ints


class DaysActive(Different):
    """The number of different local dates with an event; 0 of nothing. `tz` is the project's zone, one by name, or `profile`."""

    op = "days_active"
    takes_column = False
    when = "On how many days, so that a busy afternoon counts once."
    example = "{name: days, op: days_active, windows: [30d]}"
    compare = ">= 2"
    story = """
    name: two orders of one day are one day
    events: [[0h, order], [5h, order], [1d, order]]
    expect: [{at: 5h, member: false}, {at: 1d, member: true}, {at: 30d, member: true}, {at: 725h, member: false}]
    """

    tz: CalendarZone = "project"

    def codes(self, values: Values) -> Ints:
        """The local date of each event."""
        return values.days(self.tz)


AGGREGATE = DaysActive
