//! stub
use crate::data::{RunRecord, StudyRecord};
use crate::operation::Entry;
pub struct Page {
    pub html: String,
    pub json: String,
    pub figures: Vec<(String, String)>,
    pub tables: Vec<(String, String)>,
}
pub fn render(record: &StudyRecord, _s: &[&Entry], _r: Option<&RunRecord>) -> Page {
    Page {
        html: String::new(),
        json: serde_json::to_string_pretty(record).unwrap(),
        figures: vec![],
        tables: vec![],
    }
}
