//! References as a directed acyclic graph: an order in which everything follows what it needs, or the cycles.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Nodes are numbers; `needs[n]` lists what `n` refers to.
pub(super) type Graph = [Vec<usize>];

/// An order in which every node comes after what it needs, otherwise by number; or the cycles that prevent it,
/// each beginning and ending with the same node.
pub(super) fn order(needs: &Graph) -> Result<Vec<usize>, Vec<Vec<usize>>> {
    let mut missing: Vec<usize> = needs.iter().map(Vec::len).collect();
    let dependents = dependents(needs);
    let mut ready: BinaryHeap<_> = (0..needs.len()).filter(|&node| missing[node] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for &dependent in &dependents[node] {
            missing[dependent] -= 1;
            if missing[dependent] == 0 {
                ready.push(Reverse(dependent));
            }
        }
    }
    if order.len() == needs.len() { Ok(order) } else { Err(cycles(needs, &missing)) }
}

fn dependents(needs: &Graph) -> Vec<Vec<usize>> {
    let mut dependents = vec![Vec::new(); needs.len()];
    for (node, needed) in needs.iter().enumerate() {
        for &other in needed {
            dependents[other].push(node);
        }
    }
    dependents
}

/// Follows, from each node that is left, the first need that is left too: that walk can only end in a cycle.
fn cycles(needs: &Graph, missing: &[usize]) -> Vec<Vec<usize>> {
    let mut walked_from = vec![None; needs.len()];
    let mut cycles = Vec::new();
    for start in (0..needs.len()).filter(|&node| missing[node] > 0) {
        let mut walk = Vec::new();
        let mut next = Some(start);
        while let Some(node) = next.filter(|&node| walked_from[node].is_none()) {
            walked_from[node] = Some(start);
            walk.push(node);
            next = needs[node].iter().copied().find(|&needed| missing[needed] > 0);
        }
        if let Some(meeting) = next.filter(|&node| walked_from[node] == Some(start)) {
            let mut cycle: Vec<usize> = walk.into_iter().skip_while(|&node| node != meeting).collect();
            cycle.push(meeting);
            cycles.push(cycle);
        }
    }
    cycles
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_needed_comes_first_and_the_rest_keeps_its_order() {
        assert_eq!(order(&[vec![2], vec![], vec![], vec![0, 1]]), Ok(vec![1, 2, 0, 3]));
    }

    #[test]
    fn each_cycle_is_told_once_and_what_hangs_on_it_is_not_one() {
        let needs = [vec![1], vec![0], vec![2], vec![0]];
        assert_eq!(order(&needs), Err(vec![vec![0, 1, 0], vec![2, 2]]));
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_needs_no_stack() {
        let needs: Vec<Vec<usize>> = (0..100_000_usize).map(|node| node.checked_sub(1).into_iter().collect()).collect();
        assert_eq!(order(&needs).unwrap().len(), 100_000);
    }

    proptest! {
        #[test]
        fn an_order_is_right_or_a_cycle_is_real(
            needs in prop::collection::vec(prop::collection::btree_set(0..8_usize, 0..3), 8)
        ) {
            let needs: Vec<Vec<usize>> = needs.into_iter().map(|set| set.into_iter().collect()).collect();
            match order(&needs) {
                Ok(order) => {
                    let place = |node: usize| order.iter().position(|&other| other == node).unwrap();
                    for (node, needed) in needs.iter().enumerate() {
                        prop_assert!(needed.iter().all(|&other| place(other) < place(node)));
                    }
                }
                Err(cycles) => {
                    prop_assert!(!cycles.is_empty());
                    for cycle in cycles {
                        prop_assert!(cycle.len() > 1 && cycle.first() == cycle.last());
                        prop_assert!(cycle.windows(2).all(|pair| needs[pair[0]].contains(&pair[1])));
                    }
                }
            }
        }
    }
}
