//! Places of boxes and arrows of a graph without cycles, layer by layer from top to bottom.
//!
//! No arrow crosses a box: where an arrow passes a layer it has a place of its own between the boxes.
//! Arrows from one box share their way for as long as they can (Sugiyama K, Tagawa S, Toda M.
//! IEEE Trans Syst Man Cybern 1981;11:109–125, with trunks in place of single edges).

/// Sizes that a layout keeps. Units: pixels.
pub struct Sizes {
    /// Width of a box.
    pub width: f64,
    /// Width that an arrow takes where it passes a layer.
    pub passage: f64,
    /// Between neighbours of a layer.
    pub gap: f64,
}

/// Where everything stands: layers are counted from the top, places are middles from the left.
pub struct Layout {
    /// By box: its layer and the place of its middle.
    pub boxes: Vec<(usize, f64)>,
    /// From one layer to the next: layer, place there, place in the next, and the box if it ends there.
    pub ways: Vec<(usize, f64, f64, Option<usize>)>,
    /// From the left edge of what is furthest left to the right edge of what is furthest right.
    pub width: f64,
    pub n_layers: usize,
}

/// Edges without those that would close a cycle, which lead back from what is met later.
pub fn acyclic(n: usize, edges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let (forward, back): (Vec<_>, Vec<_>) =
        edges.iter().copied().partition(|(from, to)| from < to);
    let mut kept = forward;
    for (from, to) in back {
        if from != to && !reach(n, &kept)[to][from] {
            kept.push((from, to));
        }
    }
    kept
}

/// From each: who is reached at all.
fn reach(n: usize, edges: &[(usize, usize)]) -> Vec<Vec<bool>> {
    let mut reach = vec![vec![false; n]; n];
    for from in 0..n {
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            for &(_, to) in edges.iter().filter(|(start, _)| *start == at) {
                if !reach[from][to] {
                    reach[from][to] = true;
                    open.push(to);
                }
            }
        }
    }
    reach
}

/// Edges that no longer way says as well. There is no cycle among them.
pub fn reduced(n: usize, edges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let reach = reach(n, edges);
    let longer = |from: usize, to: usize| {
        let mut others = edges.iter().filter(|(start, _)| *start == from);
        others.any(|&(_, by)| by != to && by != from && reach[by][to])
    };
    edges.iter().copied().filter(|&(from, to)| from != to && !longer(from, to)).collect()
}

/// What stands in a layer: a box, or the arrows of a box on their way.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Item {
    of: usize,
    passes: bool,
}

/// Layers of items and the links between neighbouring layers, as positions in `items`.
struct Layers {
    items: Vec<Item>,
    layers: Vec<Vec<usize>>,
    links: Vec<(usize, usize)>,
}

/// How often the order of the layers is looked through. Orders settle well before that.
const SWEEPS: usize = 24;

/// How often places are made better. Along a row of single boxes each sweep passes on a part of the way.
const STEPS: usize = 400;

/// Places for so many boxes.
pub fn layout(n: usize, edges: &[(usize, usize)], sizes: &Sizes) -> Layout {
    let layer = layer_of(n, edges);
    let mut graph = filled(&layer, edges);
    order(&mut graph);
    let (mut places, width) = place(&graph, sizes);
    // What is read first stands on the left, where a narrow screen begins.
    let first = graph.layers.first().map_or(&[][..], Vec::as_slice);
    let middle = first.iter().map(|&item| places[item]).sum::<f64>() / first.len() as f64;
    if middle > width / 2.0 {
        places.iter_mut().for_each(|place| *place = width - *place);
    }
    let at = |item: usize| graph.items[item];
    let mut boxes = vec![(0, 0.0); n];
    for (position, of) in graph.layers.iter().enumerate() {
        for &item in of.iter().filter(|&&item| !at(item).passes) {
            boxes[at(item).of] = (position, places[item]);
        }
    }
    let layers = layers_of(&graph);
    let ways = graph.links.iter().map(|&(from, to)| {
        let end = (!at(to).passes).then_some(at(to).of);
        (layers[from], places[from], places[to], end)
    });
    Layout { boxes, ways: ways.collect(), width, n_layers: graph.layers.len() }
}

/// The longest way to each box. Of edges that would close a cycle none counts.
fn layer_of(n: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut layer = vec![0; n];
    for _ in 0..n {
        let mut changed = false;
        for &(from, to) in edges {
            if layer[to] < layer[from] + 1 && layer[from] + 1 < n {
                layer[to] = layer[from] + 1;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    layer
}

/// Boxes by their layers, and passages where an edge is longer than one layer.
fn filled(layer: &[usize], edges: &[(usize, usize)]) -> Layers {
    let n_layers = layer.iter().map(|at| at + 1).max().unwrap_or(0);
    let mut graph = Layers {
        items: (0..layer.len()).map(|of| Item { of, passes: false }).collect(),
        layers: vec![Vec::new(); n_layers],
        links: Vec::new(),
    };
    for (of, &at) in layer.iter().enumerate() {
        graph.layers[at].push(of);
    }
    for &(from, to) in edges.iter().filter(|&&(from, to)| layer[from] < layer[to]) {
        let mut before = from;
        let passage = Item { of: from, passes: true };
        for between in layer[from] + 1..layer[to] {
            let known = graph.layers[between].iter().copied();
            let known = known.into_iter().find(|&item| graph.items[item] == passage);
            let item = known.unwrap_or_else(|| {
                graph.items.push(passage);
                graph.layers[between].push(graph.items.len() - 1);
                graph.items.len() - 1
            });
            if !graph.links.contains(&(before, item)) {
                graph.links.push((before, item));
            }
            before = item;
        }
        graph.links.push((before, to));
    }
    graph
}

fn layers_of(graph: &Layers) -> Vec<usize> {
    let mut layers = vec![0; graph.items.len()];
    for (position, of) in graph.layers.iter().enumerate() {
        for &item in of {
            layers[item] = position;
        }
    }
    layers
}

/// Orders every layer by the middle of what it is linked to, down and up in turn, and keeps the order
/// with the fewest crossings.
fn order(graph: &mut Layers) {
    let mut best = (crossings(graph), graph.layers.clone());
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let n = graph.layers.len();
        for step in 1..n {
            let at = if down { step } else { n - 1 - step };
            let ranks = ranks(graph);
            let fixed = if down { at - 1 } else { at + 1 };
            let mut keyed: Vec<(f64, usize)> = graph.layers[at]
                .iter()
                .map(|&item| {
                    let near = graph.links.iter().filter_map(|&(from, to)| {
                        let (own, other) = if down { (to, from) } else { (from, to) };
                        let close = graph.layers[fixed].contains(&other);
                        (own == item && close).then(|| ranks[other])
                    });
                    let near: Vec<f64> = near.collect();
                    let mean = near.iter().sum::<f64>() / near.len() as f64;
                    (if near.is_empty() { ranks[item] } else { mean }, item)
                })
                .collect();
            // Equal ones keep their order.
            keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
            graph.layers[at] = keyed.into_iter().map(|(_, item)| item).collect();
        }
        let found = crossings(graph);
        if found < best.0 {
            best = (found, graph.layers.clone());
        }
    }
    graph.layers = best.1;
}

/// By item: its place among those of its layer, from 0 to 1.
fn ranks(graph: &Layers) -> Vec<f64> {
    let mut ranks = vec![0.0; graph.items.len()];
    for of in &graph.layers {
        for (position, &item) in of.iter().enumerate() {
            ranks[item] = (position as f64 + 0.5) / of.len() as f64;
        }
    }
    ranks
}

fn crossings(graph: &Layers) -> usize {
    let (ranks, layers) = (ranks(graph), layers_of(graph));
    let mut n = 0;
    for (position, &(a, b)) in graph.links.iter().enumerate() {
        for &(c, d) in &graph.links[position + 1..] {
            let apart = (ranks[a] - ranks[c]) * (ranks[b] - ranks[d]);
            n += usize::from(layers[a] == layers[c] && apart < 0.0);
        }
    }
    n
}

/// Middles of all items, each as near to what it is linked to as its neighbours leave room; and the width.
fn place(graph: &Layers, sizes: &Sizes) -> (Vec<f64>, f64) {
    let wide = |item: usize| match graph.items[item].passes {
        true => sizes.passage,
        false => sizes.width,
    };
    let room = |of: &[usize]| {
        let items: f64 = of.iter().map(|&item| wide(item)).sum();
        items + sizes.gap * of.len().saturating_sub(1) as f64
    };
    let width = graph.layers.iter().map(|of| room(of)).fold(0.0, f64::max);
    let mut places = vec![0.0; graph.items.len()];
    for of in &graph.layers {
        let mut at = (width - room(of)) / 2.0;
        for &item in of {
            places[item] = at + wide(item) / 2.0;
            at += wide(item) + sizes.gap;
        }
    }
    // Passages are drawn to each other most, so that long ways are straight.
    let weight = |a: usize, b: usize| match (graph.items[a], graph.items[b]) {
        (Item { passes: true, .. }, Item { passes: true, .. }) => 8.0,
        (Item { passes: false, .. }, Item { passes: false, .. }) => 1.0,
        _ => 2.0,
    };
    for sweep in 0..STEPS {
        let n = graph.layers.len();
        for step in 0..n {
            let of = &graph.layers[if sweep % 2 == 0 { step } else { n - 1 - step }];
            // Each wants the mean of its links; weights say how much.
            let wanted: Vec<(f64, f64)> = of
                .iter()
                .map(|&item| {
                    let (mut sum, mut all) = (0.0, 0.0);
                    for &(from, to) in &graph.links {
                        let other = match item {
                            item if item == from => to,
                            item if item == to => from,
                            _ => continue,
                        };
                        sum += weight(from, to) * places[other];
                        all += weight(from, to);
                    }
                    if all > 0.0 { (sum / all, all) } else { (places[item], 0.1) }
                })
                .collect();
            // Where the first would stand if the neighbours were pushed together: in order by itself.
            let mut offsets = vec![0.0; of.len()];
            for at in 1..of.len() {
                let apart = (wide(of[at - 1]) + wide(of[at])) / 2.0 + sizes.gap;
                offsets[at] = offsets[at - 1] + apart;
            }
            let first = of.first().map_or(0.0, |&item| wide(item) / 2.0);
            let last = width - room(of) + first;
            let pushed = wanted.iter().zip(&offsets);
            let pushed = pushed.map(|((want, weight), offset)| (want - offset, *weight));
            let found = in_order(&pushed.collect::<Vec<_>>());
            for ((&item, found), offset) in of.iter().zip(found).zip(&offsets) {
                places[item] = found.clamp(first, last.max(first)) + offset;
            }
        }
    }
    (places, width)
}

/// The values nearest to the given ones, by weighted squares, that never fall (pool adjacent violators).
fn in_order(given: &[(f64, f64)]) -> Vec<f64> {
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for &(value, weight) in given {
        let mut block = (value, weight, 1);
        while let Some(before) = blocks.pop_if(|before| before.0 > block.0) {
            let weight = before.1 + block.1;
            let value = (before.0 * before.1 + block.0 * block.1) / weight;
            block = (value, weight, before.2 + block.2);
        }
        blocks.push(block);
    }
    blocks.into_iter().flat_map(|(value, _, n)| std::iter::repeat_n(value, n)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { width: 100.0, passage: 10.0, gap: 20.0 };

    #[test]
    fn an_edge_that_a_longer_way_says_is_left_out() {
        let edges = [(0, 1), (1, 2), (0, 2), (0, 3), (2, 3)];
        assert_eq!(reduced(4, &edges), [(0, 1), (1, 2), (2, 3)]);
        assert_eq!(reduced(2, &[(0, 1)]), [(0, 1)]);
        assert!(reduced(0, &[]).is_empty());
    }

    #[test]
    fn of_a_cycle_all_but_the_way_back_is_drawn() {
        // Scores, a race that reads them, scores of those that are left, and a choice among all.
        let edges = [(0, 1), (1, 2), (1, 3), (2, 1), (2, 3)];
        let forward = acyclic(4, &edges);
        assert_eq!(forward, [(0, 1), (1, 2), (1, 3), (2, 3)]);
        assert_eq!(reduced(4, &forward), [(0, 1), (1, 2), (2, 3)]);
        // What is met later may be read without a cycle.
        assert_eq!(acyclic(3, &[(0, 1), (2, 1)]), [(0, 1), (2, 1)]);
        assert_eq!(layout(4, &reduced(4, &forward), &SIZES).n_layers, 4);
    }

    #[test]
    fn no_way_crosses_a_box_and_no_boxes_touch() {
        let edges = [(0, 1), (1, 2), (2, 3), (0, 3), (0, 4), (4, 5), (1, 5), (0, 2)];
        let found = layout(6, &edges, &SIZES);
        for (one, &(layer, at)) in found.boxes.iter().enumerate() {
            let half = SIZES.width / 2.0;
            assert!(at >= half - 1e-9 && at <= found.width - half + 1e-9, "{one}");
            for &(other_layer, other) in &found.boxes[one + 1..] {
                let apart = (at - other).abs();
                assert!(layer != other_layer || apart >= SIZES.width + SIZES.gap - 1e-6);
            }
            // Ways that pass the layer stand beside the box.
            for &(from, start, ..) in &found.ways {
                let begins = found.boxes.contains(&(from, start));
                let beside = (at - start).abs() >= half + SIZES.gap;
                assert!(from != layer || begins || beside, "{one} {start}");
            }
        }
        // Every edge is a way: each end is met.
        for (from, to) in edges {
            assert!(found.boxes[from].0 < found.boxes[to].0);
            assert!(found.ways.iter().any(|way| way.3 == Some(to)));
        }
        assert!(found.boxes[0].1 <= found.width / 2.0 + 1e-9);
        let none = layout(0, &[], &SIZES);
        assert_eq!((none.n_layers, none.boxes.len(), none.width), (0, 0, 0.0));
    }

    #[test]
    fn arrows_of_one_box_share_their_way() {
        let edges = [(0, 1), (1, 2), (2, 3), (2, 4), (0, 3), (0, 4)];
        let found = layout(5, &edges, &SIZES);
        let long = found.ways.iter().filter(|way| way.0 == 1 && way.3.is_none());
        assert_eq!(long.count(), 1);
    }

    #[test]
    fn values_are_put_in_order_by_their_weights() {
        assert_eq!(in_order(&[(1.0, 1.0), (2.0, 1.0)]), [1.0, 2.0]);
        assert_eq!(in_order(&[(3.0, 1.0), (0.0, 2.0), (5.0, 1.0)]), [1.0, 1.0, 5.0]);
    }
}
