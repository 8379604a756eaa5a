//! Voxels in space: volumes, masks and the region that a mask cuts out of a volume.

use serde::{Deserialize, Serialize};

/// Where the voxels of a grid lie in the patient, in millimetres, LPS axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Geometry {
    /// Number of voxels along x, y, z.
    pub size: [usize; 3],
    /// Distance between voxel centres along x, y, z. Units: mm.
    pub spacing: [f64; 3],
    /// Centre of voxel (0, 0, 0). Units: mm.
    pub origin: [f64; 3],
    /// Unit vectors of the grid's axes, one column per axis, row-major.
    pub direction: [[f64; 3]; 3],
}

impl Geometry {
    pub fn n_voxels(&self) -> usize {
        self.size.iter().product()
    }

    /// Whether two grids are the same within a hundredth of a millimetre per voxel.
    pub fn matches(&self, other: &Self) -> bool {
        let near = |a: &[f64], b: &[f64], by: f64| {
            a.iter().zip(b).all(|(a, b)| (a - b).abs() <= by)
        };
        self.size == other.size
            && near(&self.spacing, &other.spacing, 1e-3)
            && near(&self.origin, &other.origin, 1e-2)
            && near(self.direction.as_flattened(), other.direction.as_flattened(), 1e-4)
    }
}

/// A scalar image. Shape: size x × y × z, x fastest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Volume {
    pub geometry: Geometry,
    pub voxels: Vec<f32>,
}

/// Labels on the same kind of grid; 0 is background. Shape: as [`Volume`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mask {
    pub size: [usize; 3],
    pub labels: Vec<u16>,
}

/// A region of interest: the voxels of a volume that a mask names. Never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Roi {
    values: Vec<f64>,
    positions: Vec<[usize; 3]>,
    geometry: Geometry,
}

impl Roi {
    /// The voxels of `volume` whose label is one of `labels` (any but 0 when none is named), in
    /// grid order; `None` when there are none. The grids must have the same size.
    pub fn new(volume: &Volume, mask: &Mask, labels: &[u16]) -> Option<Self> {
        assert_eq!(volume.geometry.size, mask.size, "the grids were compared before");
        let [nx, ny, _] = mask.size;
        let wanted =
            |label: u16| label != 0 && (labels.is_empty() || labels.contains(&label));
        let mut roi = Self {
            values: Vec::new(),
            positions: Vec::new(),
            geometry: volume.geometry.clone(),
        };
        for (index, (&label, &voxel)) in
            mask.labels.iter().zip(&volume.voxels).enumerate()
        {
            if wanted(label) {
                roi.values.push(f64::from(voxel));
                roi.positions.push([index % nx, index / nx % ny, index / (nx * ny)]);
            }
        }
        (!roi.values.is_empty()).then_some(roi)
    }

    /// The grey values, in grid order. Never empty.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Grid positions of the values, in the same order.
    pub fn positions(&self) -> &[[usize; 3]] {
        &self.positions
    }

    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }
}
