//! The few bytes of a NIfTI-1 file that a simulated image needs.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

/// Voxels of a simulated image.
pub enum Voxels {
    /// 32-bit floats.
    Grey(Vec<f32>),
    /// Bytes.
    Labels(Vec<u8>),
}

/// A gzip file of a cube of `n` voxels a side, 1 mm apart, marked as simulated.
pub fn cube(n: u16, voxels: &Voxels) -> Vec<u8> {
    let mut bytes = vec![0; 352];
    let mut put =
        |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &348i32.to_le_bytes());
    for (i, length) in [3, n, n, n, 1, 1, 1, 1].iter().enumerate() {
        put(40 + 2 * i, &length.to_le_bytes());
    }
    let (code, bits) = match voxels {
        Voxels::Grey(_) => (16i16, 32i16),
        Voxels::Labels(_) => (2, 8),
    };
    put(70, &code.to_le_bytes());
    put(72, &bits.to_le_bytes());
    for i in 0..4 {
        put(76 + 4 * i, &1f32.to_le_bytes());
    }
    put(108, &352f32.to_le_bytes());
    put(112, &1f32.to_le_bytes());
    put(123, &[2]); // Lengths are millimetres.
    put(148, b"simulated by restudy: no patient");
    put(254, &1i16.to_le_bytes());
    for (row, at) in [280, 296, 312].into_iter().enumerate() {
        put(at + 4 * row, &1f32.to_le_bytes());
    }
    put(344, b"n+1\0");
    match voxels {
        Voxels::Grey(values) => values.iter().for_each(|v| bytes.extend(v.to_le_bytes())),
        Voxels::Labels(values) => bytes.extend(values),
    }
    // No time and no name in the stream: same voxels, same bytes.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&bytes).and_then(|()| gzip.finish()).expect("memory takes any bytes")
}
