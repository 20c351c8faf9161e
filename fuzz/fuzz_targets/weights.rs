//! The files of tensors. The first byte says whether the rest is safetensors or burnpack, each as it is or behind the
//! lengths that its beginning should have. What is read must be as long as its shapes say, take no more memory than the file
//! has bytes, and come back the same from what is written of it.
#![no_main]

use attentive_train::fuzzing::{self, TensorFormat};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&which, rest)) = data.split_first() else { return };
    // The length of the header, so that a header that grows or shrinks is still found.
    let framed = |prefix: &[u8], header: &[u8], data: &[u8]| [prefix, header, data].concat();
    let split = |rest: &[u8]| -> Option<(Vec<u8>, Vec<u8>)> {
        let (&length, rest) = rest.split_first()?;
        let length = usize::from(length) * 4;
        (length <= rest.len()).then(|| (rest[..length].to_vec(), rest[length..].to_vec()))
    };
    let (file, format) = match which % 4 {
        0 => (rest.to_vec(), TensorFormat::Safetensors),
        1 => (rest.to_vec(), TensorFormat::Burnpack),
        2 => {
            let Some((header, data)) = split(rest) else { return };
            (framed(&(header.len() as u64).to_le_bytes(), &header, &data), TensorFormat::Safetensors)
        }
        _ => {
            let Some((header, data)) = split(rest) else { return };
            let mut prefix = b"NRUB\x01\x00".to_vec();
            prefix.extend_from_slice(&(header.len() as u32).to_le_bytes());
            (framed(&prefix, &header, &data), TensorFormat::Burnpack)
        }
    };
    match format.read(&file) {
        Ok(tensors) => {
            let bytes: usize = tensors.iter().map(|(_, _, values)| values.len() * 4).sum();
            assert!(bytes <= file.len(), "{bytes} bytes of values from a file of {}", file.len());
            for (name, shape, values) in &tensors {
                assert_eq!(shape.iter().product::<usize>(), values.len(), "{name} {shape:?}");
            }
            if let Ok(written) = format.write(&tensors) {
                let again = format.read(&written).expect("what is written can be read");
                let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                let key = |(name, shape, values): &fuzzing::Tensor| (name.clone(), shape.clone(), bits(values));
                assert!(again.iter().map(key).eq(tensors.iter().map(key)));
            }
        }
        Err(message) => assert!(!message.is_empty()),
    }
});
