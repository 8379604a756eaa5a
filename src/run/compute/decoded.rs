//! How well the batch is told from the columns, before and after they are harmonised.

use super::splits::{apply_step, procedure, with_beside};
use super::{Computed, Inputs, input};
use crate::data::{Decoded, Rows, Value};
use crate::operation::{FittedChain, Instance};
use crate::plan::Placed;
use crate::spec::{ChainSetting, Use};
use crate::statistics::decodability;

/// The column whose effect a step removes.
fn batch(step: &Use) -> Option<&str> {
    match &step.instance {
        Instance::TableStep(step) => step.harmonises().map(|of| of.batch),
        _ => None,
    }
}

/// Of the first setting of the preparation: what stands before its first harmonising step, and what
/// comes out of its last.
pub fn decoded(inputs: &Inputs<'_>, case: usize, placed: &Placed) -> Computed {
    let frame = input!(&inputs.values[0], Frame, "frame");
    let frame = &*with_beside(inputs, case, case, frame);
    let fitted =
        FittedChain::from_bytes(input!(&inputs.values[1], Fitted, "fitted steps"))?;
    let (chain, _) = procedure(inputs, case);
    let setting = &chain.settings[0];
    let states = match &fitted.paths[chain.fit_paths().of_setting[0]] {
        Ok(states) => states,
        Err(why) => return Ok(Value::Failed(why.clone())),
    };
    let present = |rows: &[u32]| -> Vec<usize> {
        let rows = rows.iter().map(|&row| row as usize);
        rows.filter(|&row| frame.failed[row].is_none()).collect()
    };
    let train = frame.rows.take(&present(&placed.split.train));
    let held_out = frame.rows.take(&present(&placed.split.held_out));
    Ok(match judged(setting, states, train, held_out) {
        Ok(decoded) => Value::Decoded(decoded),
        Err(why) => Value::Failed(why),
    })
}

fn judged(
    setting: &ChainSetting,
    states: &[Vec<u8>],
    mut train: Rows,
    mut held_out: Rows,
) -> Result<Decoded, String> {
    let harmonising = |step: &Use| batch(step).is_some();
    let first = setting.steps.iter().position(harmonising);
    let last = setting.steps.iter().rposition(harmonising);
    let (Some(first), Some(last)) = (first, last) else {
        return Err("no step harmonises".to_string());
    };
    let column = batch(&setting.steps[first]).unwrap_or_default().to_string();
    let told = |train: &Rows, held_out: &Rows| {
        let sites = |rows: &Rows| -> Vec<String> {
            let cells = rows.beside(&column).unwrap_or_default().iter();
            cells.map(|cell| cell.clone().unwrap_or_default()).collect()
        };
        let (of_train, of_held_out) = (sites(train), sites(held_out));
        let of_train: Vec<&str> = of_train.iter().map(String::as_str).collect();
        let of_held_out: Vec<&str> = of_held_out.iter().map(String::as_str).collect();
        decodability(train, &of_train, held_out, &of_held_out)
    };
    let mut before = None;
    for (position, (step, state)) in setting.steps.iter().zip(states).enumerate() {
        if position == first {
            before = told(&train, &held_out);
        }
        apply_step(step, state, &mut train)?;
        apply_step(step, state, &mut held_out)?;
        if position == last {
            break;
        }
    }
    let after = told(&train, &held_out);
    Ok(Decoded { column, before, after })
}
