"""How low a cost can be: bounds that hold for every policy, and good solutions by hindsight."""

from tiergym.evaluation.bounds.placement import lower_bound
from tiergym.evaluation.bounds.placement_search import Plan, best_fixed, best_switching

__all__ = ["Plan", "best_fixed", "best_switching", "lower_bound"]
