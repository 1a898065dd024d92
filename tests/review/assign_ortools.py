"""Solves an assignment of reviewers with OR-Tools: prints its cost and the milliseconds it took."""

import sys
import time

from ortools.graph.python import min_cost_flow

reviews, applications, loads, pairs = 0, 0, [], []
with open(sys.argv[1]) as lines:
    for line in lines:
        word, *numbers = line.split()
        numbers = [int(number) for number in numbers]
        if word == "reviews":
            reviews, applications = numbers
        elif word == "load":
            loads.append(numbers[0])
        else:
            pairs.append(numbers)

start = time.perf_counter()
flow = min_cost_flow.SimpleMinCostFlow()
source, sink = 0, 1
application = lambda number: 2 + number
reviewer = lambda number: 2 + applications + number
for number in range(applications):
    flow.add_arc_with_capacity_and_unit_cost(source, application(number), reviews, 0)
for asking, judging, cost in pairs:
    flow.add_arc_with_capacity_and_unit_cost(application(asking), reviewer(judging), 1, cost)
for number, load in enumerate(loads):
    for further in range(load):
        flow.add_arc_with_capacity_and_unit_cost(reviewer(number), sink, 1, further)
flow.set_node_supply(source, applications * reviews)
flow.set_node_supply(sink, -applications * reviews)
status = flow.solve_max_flow_with_min_cost()
assert status == flow.OPTIMAL, status
print(flow.optimal_cost(), round((time.perf_counter() - start) * 1e3, 1))
