//! Tables: how they are read, and the steps that are fitted on their training rows.

mod anova;
mod binary;
mod drop_constant;
mod drop_correlated;
mod drop_missing;
mod elastic_net;
mod encode_onehot;
mod entry;
mod forest_importance;
mod impute_median;
mod lasso;
mod read;
mod rfe;
mod scale_zscore;

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
        table_step::<scale_zscore::ScaleZscore>(),
        table_step::<drop_correlated::DropCorrelated>(),
        table_step::<anova::Anova>(),
        table_step::<forest_importance::ForestImportance>(),
        table_step::<lasso::Lasso>(),
        table_step::<elastic_net::ElasticNet>(),
        table_step::<rfe::Rfe>(),
    ]
}
