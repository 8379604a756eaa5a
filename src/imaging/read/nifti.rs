//! NIfTI-1 volumes and masks.

use std::io::Cursor;

use ::nifti::{InMemNiftiVolume, IntoNdArray, NiftiHeader, NiftiType};

use crate::data::{Geometry, Mask, Volume};
use crate::math::sqrt;
use crate::operation::prelude::*;

/// Volume or mask in NIfTI-1, plain or gzip.
///
/// # Computation
/// Stored values become grey values by the header's slope and intercept. The grid's place in the
/// patient is that of the sform, else of the qform, else of the voxel size alone; axes are turned
/// from the file's RAS to LPS. Spacing is the length of the grid's axes in millimetres.
///
/// # Limits
/// One volume per file: a fourth dimension must have length 1. Masks hold whole numbers from 0 to
/// 65535. NIfTI-2 and detached headers are not read, nor a header whose bits per voxel are not
/// those of its kind of voxel.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nifti {}

impl Operation for Nifti {
    const ABOUT: About = About {
        name: "nifti",
        title: "NIfTI-1 image",
        version: 1,
        sources: &["nifti1"],
        example: "nifti",
    };
}

/// Size of the header that every file begins with. Units: bytes.
const HEADER: usize = 348;

impl Reader for Nifti {
    fn read(&self, file: File<'_>, what: ReadAs<'_>) -> Result<Value, Failure> {
        let bytes = &*file.plain()?;
        if bytes.len() < HEADER {
            return Err(Failure::Truncated { expected: HEADER, found: bytes.len() });
        }
        let unreadable =
            |error: ::nifti::NiftiError| Failure::Unreadable(error.to_string());
        let header = NiftiHeader::from_reader(Cursor::new(bytes)).map_err(unreadable)?;
        let size = size(&header)?;
        let values = values(&header, bytes, size)?;
        match what {
            ReadAs::Volume => {
                let voxels = values.iter().map(|value| *value as f32).collect();
                Ok(Value::Volume(Volume { geometry: geometry(&header, size)?, voxels }))
            }
            ReadAs::Mask => {
                let labels: Option<Vec<u16>> =
                    values.iter().map(|value| label(*value)).collect();
                let labels = labels.ok_or_else(|| {
                    Failure::Unreadable(
                        "a mask holds whole numbers from 0 to 65535".to_string(),
                    )
                })?;
                Ok(Value::Mask(Mask { size, labels }))
            }
            ReadAs::Table { .. } => {
                Err(Failure::Unreadable("an image is no table".to_string()))
            }
        }
    }
}

fn label(value: f64) -> Option<u16> {
    let whole = value.is_finite() && value.fract() == 0.0;
    (whole && (0.0..=65535.0).contains(&value)).then_some(value as u16)
}

/// The number of voxels along each axis.
fn size(header: &NiftiHeader) -> Result<[usize; 3], Failure> {
    let wrong = |what: &str| Failure::Unreadable(format!("its dimensions are {what}"));
    let n = header.dim[0] as usize;
    if !(2..=7).contains(&n) {
        return Err(wrong("not given"));
    }
    let mut size = [1; 3];
    for (axis, length) in header.dim[1..=n].iter().enumerate() {
        match size.get_mut(axis) {
            Some(place) if *length > 0 => *place = *length as usize,
            None if *length <= 1 => {}
            None => return Err(wrong("more than three: one volume per file")),
            Some(_) => return Err(wrong("zero")),
        }
    }
    Ok(size)
}

/// The grey values in grid order.
fn values(
    header: &NiftiHeader,
    bytes: &[u8],
    size: [usize; 3],
) -> Result<Vec<f64>, Failure> {
    let unreadable = |error: ::nifti::NiftiError| Failure::Unreadable(error.to_string());
    let kind = header.data_type().map_err(unreadable)?;
    if matches!(
        kind,
        NiftiType::Rgb24
            | NiftiType::Rgba32
            | NiftiType::Complex64
            | NiftiType::Complex128
            | NiftiType::Complex256
            | NiftiType::Float128
    ) {
        return Err(Failure::Unreadable(format!(
            "its voxels are {kind:?}, not grey values"
        )));
    }
    // The library measures the voxels by the one and reads them by the other.
    if usize::try_from(header.bitpix) != Ok(8 * kind.size_of()) {
        return Err(Failure::Unreadable(format!(
            "it says that a voxel has {} bits, and {kind:?} has {}",
            header.bitpix,
            8 * kind.size_of()
        )));
    }
    let start = header.vox_offset;
    if !(start.is_finite() && start >= HEADER as f32 && start < 1e9) {
        return Err(Failure::Unreadable(
            "it says that its voxels lie elsewhere".to_string(),
        ));
    }
    let start = start as usize;
    let n_voxels = size.iter().try_fold(1usize, |n, length| n.checked_mul(*length));
    let expected = n_voxels
        .and_then(|n| n.checked_mul(kind.size_of()))
        .and_then(|n| n.checked_add(start))
        .ok_or_else(|| {
            Failure::Unreadable("its dimensions are beyond all size".to_string())
        })?;
    // Checked before anything of that size is asked for.
    if bytes.len() < expected {
        return Err(Failure::Truncated { expected, found: bytes.len() });
    }
    let mut three = header.clone();
    three.dim = [3, size[0] as u16, size[1] as u16, size[2] as u16, 1, 1, 1, 1];
    let volume = InMemNiftiVolume::from_reader(&bytes[start..expected], &three)
        .map_err(unreadable)?;
    let voxels = volume.into_ndarray::<f64>().map_err(unreadable)?;
    // The transposed view runs through the voxels with x fastest, as they lie in the file.
    let values: Vec<f64> = voxels.t().iter().copied().collect();
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(values),
        false => Err(Failure::NotFinite("a voxel".to_string())),
    }
}

/// Where the grid lies.
fn geometry(header: &NiftiHeader, size: [usize; 3]) -> Result<Geometry, Failure> {
    // Rows of the affine from voxel indices to RAS millimetres.
    let rows: [[f64; 4]; 3] = if header.sform_code > 0 {
        [header.srow_x, header.srow_y, header.srow_z].map(|row| row.map(f64::from))
    } else if header.qform_code > 0 {
        quaternion_rows(header)
    } else {
        let d = |axis: usize| f64::from(header.pixdim[axis + 1]);
        [[d(0), 0.0, 0.0, 0.0], [0.0, d(1), 0.0, 0.0], [0.0, 0.0, d(2), 0.0]]
    };
    let mut geometry =
        Geometry { size, spacing: [0.0; 3], origin: [0.0; 3], direction: [[0.0; 3]; 3] };
    for axis in 0..3 {
        let squares: f64 = rows.iter().map(|row| row[axis] * row[axis]).sum();
        geometry.spacing[axis] = sqrt(squares);
    }
    if !geometry.spacing.iter().all(|spacing| spacing.is_finite() && *spacing > 0.0) {
        return Err(Failure::Geometry(format!("a voxel of {:?} mm", geometry.spacing)));
    }
    for (row, values) in rows.iter().enumerate() {
        // RAS to LPS: the first two axes point the other way.
        let sign = if row < 2 { -1.0 } else { 1.0 };
        geometry.origin[row] = sign * values[3];
        geometry.direction[row] =
            std::array::from_fn(|axis| sign * values[axis] / geometry.spacing[axis]);
    }
    Ok(geometry)
}

/// The affine of a qform. Source: nifti1, "method 2".
fn quaternion_rows(header: &NiftiHeader) -> [[f64; 4]; 3] {
    let [b, c, d] = [header.quatern_b, header.quatern_c, header.quatern_d].map(f64::from);
    let a = sqrt((1.0 - (b * b + c * c + d * d)).max(0.0));
    let flip = if header.pixdim[0] < 0.0 { -1.0 } else { 1.0 };
    let spacing = [1, 2, 3].map(|axis| f64::from(header.pixdim[axis]));
    let scale = [spacing[0], spacing[1], spacing[2] * flip];
    let offset = [header.quatern_x, header.quatern_y, header.quatern_z].map(f64::from);
    let rotation = [
        [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
        [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
        [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ];
    let row = |row: usize| {
        let [x, y, z] = std::array::from_fn(|axis| rotation[row][axis] * scale[axis]);
        [x, y, z, offset[row]]
    };
    [row(0), row(1), row(2)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A 2 × 3 × 1 image of 16-bit numbers with slope 2 and intercept 1, sform as given.
    fn file() -> Vec<u8> {
        let mut bytes = vec![0; 352];
        let mut put =
            |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &348i32.to_le_bytes());
        for (i, length) in [3i16, 2, 3, 1, 1, 1, 1, 1].iter().enumerate() {
            put(40 + 2 * i, &length.to_le_bytes());
        }
        put(70, &4i16.to_le_bytes());
        put(72, &16i16.to_le_bytes());
        for (i, spacing) in [1.0f32, 2.0, 3.0, 4.0].iter().enumerate() {
            put(76 + 4 * i, &spacing.to_le_bytes());
        }
        put(108, &352f32.to_le_bytes());
        put(112, &2f32.to_le_bytes());
        put(116, &1f32.to_le_bytes());
        put(254, &1i16.to_le_bytes());
        let rows =
            [[2.0f32, 0.0, 0.0, 10.0], [0.0, 3.0, 0.0, 20.0], [0.0, 0.0, 4.0, 30.0]];
        for (row, values) in rows.iter().enumerate() {
            for (column, value) in values.iter().enumerate() {
                put(280 + 16 * row + 4 * column, &value.to_le_bytes());
            }
        }
        put(344, b"n+1\0");
        for value in 0..6i16 {
            bytes.extend(value.to_le_bytes());
        }
        bytes
    }

    fn read(bytes: &[u8], what: ReadAs<'_>) -> Result<Value, Failure> {
        Nifti {}.read(File { name: "image.nii", bytes }, what)
    }

    #[test]
    fn values_and_place_are_those_of_the_header() {
        let Value::Volume(volume) = read(&file(), ReadAs::Volume).unwrap() else {
            panic!()
        };
        assert_eq!(volume.voxels, [1.0, 3.0, 5.0, 7.0, 9.0, 11.0]);
        assert_eq!(volume.geometry.size, [2, 3, 1]);
        assert_eq!(volume.geometry.spacing, [2.0, 3.0, 4.0]);
        assert_eq!(volume.geometry.origin, [-10.0, -20.0, 30.0]);
        assert_eq!(volume.geometry.direction[0][0], -1.0);
        let Value::Mask(mask) = read(&file(), ReadAs::Mask).unwrap() else { panic!() };
        assert_eq!(mask.labels, [1, 3, 5, 7, 9, 11]);
    }

    #[test]
    fn a_file_cut_anywhere_is_refused_by_name() {
        let whole = file();
        for length in 0..whole.len() {
            let failure = read(&whole[..length], ReadAs::Volume).unwrap_err();
            assert!(matches!(failure, Failure::Truncated { .. }), "{length}: {failure}");
        }
    }

    #[test]
    fn a_series_is_no_volume_and_fractions_are_no_labels() {
        let mut series = file();
        series[40] = 4;
        series[48] = 2;
        assert!(read(&series, ReadAs::Volume).is_err());
        let mut fractions = file();
        fractions[112..116].copy_from_slice(&0.5f32.to_le_bytes());
        assert!(read(&fractions, ReadAs::Mask).is_err());
    }

    /// The bytes that say how many voxels there are, of which kind and where they begin.
    fn decisive() -> impl Iterator<Item = usize> + Clone {
        (40..56).chain(70..74).chain(108..112)
    }

    #[test]
    fn bits_that_do_not_fit_the_kind_of_voxel_are_refused() {
        for bits in [0i16, 8, 15, 17, 32, 4096, 32760, -16] {
            let mut bytes = file();
            bytes[72..74].copy_from_slice(&bits.to_le_bytes());
            let failure = read(&bytes, ReadAs::Volume).unwrap_err().to_string();
            let expected = format!("a voxel has {bits} bits, and Int16 has 16");
            assert!(failure.contains(&expected), "{failure}");
        }
    }

    #[test]
    fn what_the_dimensions_promise_is_not_asked_for_before_it_is_there() {
        let mut bytes = file();
        // 562 terabytes: no machine could set them aside.
        bytes[42..48].fill(0xff);
        let expected = 352 + 2 * 65535usize.pow(3);
        let refused = Err(Failure::Truncated { expected, found: bytes.len() });
        assert_eq!(read(&bytes, ReadAs::Volume), refused);
        assert_eq!(read(&bytes, ReadAs::Mask), refused);
    }

    #[test]
    fn no_byte_of_the_header_makes_it_panic_alone_or_with_a_decisive_one() {
        let whole = file();
        for at in 0..HEADER {
            for value in [0, 1, 127, 255] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                drop(read(&bytes, ReadAs::Volume));
                drop(read(&bytes, ReadAs::Mask));
                for (other, with) in decisive().flat_map(|at| {
                    [0, 1, 2, 4, 8, 16, 64, 127, 255].map(|value| (at, value))
                }) {
                    let mut bytes = bytes.clone();
                    bytes[other] = with;
                    drop(read(&bytes, ReadAs::Volume));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_damage_makes_it_panic(
            damage in prop::collection::vec((0usize..364, any::<u8>()), 1..4),
        ) {
            let mut bytes = file();
            for (at, value) in damage {
                bytes[at] = value;
            }
            drop(read(&bytes, ReadAs::Volume));
            drop(read(&bytes, ReadAs::Mask));
        }

        #[test]
        fn no_damage_of_what_is_decisive_makes_it_panic(
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 2..5),
        ) {
            let places: Vec<usize> = decisive().collect();
            let mut bytes = file();
            for (at, value) in damage {
                bytes[*at.get(&places)] = value;
            }
            drop(read(&bytes, ReadAs::Volume));
            drop(read(&bytes, ReadAs::Mask));
        }
    }
}
