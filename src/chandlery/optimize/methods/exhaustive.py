"""Every point, in order: the optimum is certain if the budget covers the space."""

from chandlery.optimize.methods.plan import Method, Plan, Search


def _start(plan: Plan) -> Search:
    left = plan.budget
    for numbers in plan.space.walk(plan.batch):
        yield numbers[:left]
        left -= numbers.size
        if left <= 0:
            return


METHOD = Method(
    name="exhaustive",
    doc="Every point in order of its number; a smaller budget ends the walk early.",
    is_adaptive=False,
    start=_start,
)
