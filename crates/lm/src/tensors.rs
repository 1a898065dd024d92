//! Reading and changing the elements of the library's tensors in place.

use candle_core::{CpuStorage, Device, Error, InplaceOp1, Layout, Result, Shape, Storage, Tensor};

/// A tensor of `values`.
pub(crate) fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(values, shape.into(), &Device::Cpu)
}

/// Hands the elements of a contiguous tensor to `read`.
pub(crate) fn with_floats<R>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else {
        return Err(Error::Msg("the tensor is not in main memory".into()));
    };
    let range = layout.contiguous_offsets().ok_or(Error::RequiresContiguous { op: "read" })?;
    let elements = storage.as_slice::<f32>()?.get(range.0..range.1);
    elements.map(read).ok_or_else(|| Error::Msg("a layout leaves its storage".into()))
}

/// Lets `write` change the elements of a contiguous tensor where they lie.
pub(crate) fn update_floats(tensor: &Tensor, write: impl FnMut(&mut [f32])) -> Result<()> {
    tensor.inplace_op1(&Update(std::cell::RefCell::new(write)))
}

struct Update<F>(std::cell::RefCell<F>);

impl<F: FnMut(&mut [f32])> InplaceOp1 for Update<F> {
    fn name(&self) -> &'static str {
        "update"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let range =
            layout.contiguous_offsets().ok_or(Error::RequiresContiguous { op: "update" })?;
        let CpuStorage::F32(elements) = storage else {
            return Err(Error::Msg("only 32-bit floats can be updated".into()));
        };
        let elements = elements.get_mut(range.0..range.1);
        let elements = elements.ok_or_else(|| Error::Msg("a layout leaves its storage".into()))?;
        (self.0.borrow_mut())(elements);
        Ok(())
    }
}
