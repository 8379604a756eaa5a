//! Tables: how they are read, and the steps that are fitted on their training rows.

mod anova;
mod binary;
mod drop_constant;
mod drop_correlated;
mod drop_missing;
mod elastic_net;
mod encode_onehot;
mod entry;
#[cfg(test)]
mod fixture;
mod forest_importance;
mod harmonise_combat;
mod impute_median;
mod lasso;
mod mann_whitney;
mod mrmr;
mod mutual_information;
mod ranking;
mod read;
mod relieff;
mod rfe;
mod scale_robust;
mod scale_zscore;
mod transform_yeo_johnson;
mod welch;

pub use read::parquet::is_reading as is_reading_parquet;

use crate::operation::{Entry, derivation, reader, table_step};

/// In reading order.
pub fn operations() -> Vec<Entry> {
    vec![
        reader::<read::csv::Csv>(),
        reader::<read::parquet::Parquet>(),
        derivation::<binary::Binary>(),
        table_step::<drop_missing::DropMissing>(),
        table_step::<drop_constant::DropConstant>(),
        table_step::<encode_onehot::EncodeOnehot>(),
        table_step::<impute_median::ImputeMedian>(),
        table_step::<harmonise_combat::HarmoniseCombat>(),
        table_step::<transform_yeo_johnson::TransformYeoJohnson>(),
        table_step::<scale_zscore::ScaleZscore>(),
        table_step::<scale_robust::ScaleRobust>(),
        table_step::<drop_correlated::DropCorrelated>(),
        table_step::<anova::Anova>(),
        table_step::<forest_importance::ForestImportance>(),
        table_step::<lasso::Lasso>(),
        table_step::<elastic_net::ElasticNet>(),
        table_step::<rfe::Rfe>(),
        table_step::<welch::Welch>(),
        table_step::<mann_whitney::MannWhitney>(),
        table_step::<mutual_information::MutualInformation>(),
        table_step::<mrmr::Mrmr>(),
        table_step::<relieff::Relieff>(),
    ]
}
