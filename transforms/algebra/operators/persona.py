"""`persona`: the model sees the subject as one of some personas (5.14)."""

from transforms.algebra.labelled import Labelled


class Persona(Labelled):
    """True at T when the persona that the model last gave the subject is one of the names; unknown where it gave none."""

    name = "persona"
    when = "A model has sorted the subjects into groups that resemble each other, and the groups have names."
    example = "persona: {model: shoppers, in: [bargain_hunter]}"
    story = """
    name: a persona holds until the model sees another in the subject
    events: [[0d, visit]]
    scores: [[2d, {model: shoppers, label: bargain_hunter}], [9d, {model: shoppers, label: browser}]]
    expect: [{at: 1d, member: false}, {at: 2d, member: true}, {at: 8d, member: true}, {at: 9d, member: false}]
    """


OPERATOR = Persona
