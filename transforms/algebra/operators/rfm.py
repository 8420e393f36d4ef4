"""`rfm`: the model places the subject in one of some classes (5.14)."""

from transforms.algebra.labelled import Labelled


class Rfm(Labelled):
    """True at T when the label that the model last gave the subject is one of the names; unknown where it gave none.

    The classes are those of recency, frequency and spending, by names of yours.
    """

    name = "rfm"
    when = "A model has ranked the customers by how lately, how often and for how much they buy."
    example = "rfm: {model: customer_value, in: [champions, loyal]}"
    story = """
    name: a customer is loyal until the model says otherwise
    events: [[0d, order]]
    scores: [[1d, {model: customer_value, label: loyal}], [30d, {model: customer_value, label: at_risk}]]
    expect: [{at: 0d, member: false}, {at: 1d, member: true}, {at: 29d, member: true}, {at: 30d, member: false}]
    """


OPERATOR = Rfm
