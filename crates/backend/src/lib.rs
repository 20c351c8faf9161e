//! Opens a device by the name of its backend, at run time. The only crate that names a Burn backend: everything else
//! is handed a [`Device`].
//!
//! Nothing here calls `Device::default()`, which obeys an environment variable and may open a GPU nobody asked for.
#![recursion_limit = "256"] // the GPU backend's types nest deeply

mod probe;
mod settings;

use burn::tensor::Device;

/// A Burn backend, whether this build holds it or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Burn's ndarray backend, on the CPU.
    NdArray,
    /// Burn's flex backend, on the CPU.
    Flex,
    /// GPUs through Vulkan, Metal or DirectX; also software Vulkan.
    Wgpu,
}

/// An opened device and the backend it belongs to.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Its backend.
    pub backend: Backend,
    /// The device; it does not track gradients.
    pub device: Device,
    /// What the device is, for people: `2 threads`, or the GPU's name.
    pub description: String,
    /// The name of the device where results may depend on it: a GPU's. `None` on the CPU backends, which compute the same
    /// bits with any number of threads.
    pub name: Option<String>,
}

/// One line of `attentive devices`: a backend and what became of the attempt to open it.
#[derive(Debug)]
pub struct Availability {
    /// The backend.
    pub backend: Backend,
    /// The opened device, or why there is none.
    pub result: Result<Opened, BackendError>,
}

/// Why a device could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// No backend has this name.
    #[error("there is no backend `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The backend exists, but this binary was built without it.
    #[error("this build of attentive does not hold the backend `{backend}`")]
    NotBuilt {
        /// What was asked for.
        backend: Backend,
    },
    /// The backend found no device.
    #[error("the backend `{backend}` found no device on this machine")]
    NoDevice {
        /// What was asked for.
        backend: Backend,
    },
    /// A device is there, but does not work.
    #[error("the device of the backend `{backend}` does not work: {reason}")]
    Broken {
        /// What was asked for.
        backend: Backend,
        /// What the driver said.
        reason: String,
    },
}

impl BackendError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        let cpu = Backend::ALL.into_iter().filter(|b| b.is_built() && *b != Backend::Wgpu).map(|b| format!("`{b}`"));
        let cpu = cpu.collect::<Vec<_>>().join(" or ");
        Some(match self {
            Self::Unknown { .. } => format!("choose `auto`, {}", Backend::names().map(|n| format!("`{n}`")).join(", ")),
            Self::NotBuilt { backend } => {
                format!("build it with `cargo build --release --features {backend}`, or choose {cpu}")
            }
            Self::NoDevice { .. } => format!(
                "install a Vulkan driver (on Debian `mesa-vulkan-drivers` runs on any CPU), or choose {cpu}; \
                 `attentive devices` shows what is there"
            ),
            Self::Broken { .. } => format!("update the graphics driver, or choose {cpu}"),
        })
    }
}

impl Backend {
    /// Every backend there is; `auto` prefers the first that works, but for software Vulkan.
    pub const ALL: [Self; 3] = [Self::Flex, Self::NdArray, Self::Wgpu];

    /// The names in config and on the command line, in the order of [`Self::ALL`].
    pub fn names() -> [&'static str; 3] {
        Self::ALL.map(Self::name)
    }

    /// Its name in config and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NdArray => "ndarray",
            Self::Flex => "flex",
            Self::Wgpu => "wgpu",
        }
    }

    /// Whether this binary holds it.
    pub const fn is_built(self) -> bool {
        match self {
            Self::NdArray => cfg!(feature = "ndarray"),
            Self::Flex => cfg!(feature = "flex"),
            Self::Wgpu => cfg!(feature = "wgpu"),
        }
    }

    /// Opens the fastest CPU backend of this build: the first of [`Self::ALL`].
    ///
    /// # Errors
    /// When this build holds no CPU backend.
    pub fn open_cpu() -> Result<Opened, BackendError> {
        let built = Self::ALL.into_iter().find(|backend| backend.is_built() && *backend != Self::Wgpu);
        built.unwrap_or(Self::Flex).open()
    }

    /// Opens the backend's best device and lets it compute something.
    ///
    /// # Errors
    /// When this build lacks the backend, there is no device, or the device does not work.
    pub fn open(self) -> Result<Opened, BackendError> {
        if !self.is_built() {
            return Err(BackendError::NotBuilt { backend: self });
        }
        settings::settle();
        let device = match self {
            Self::NdArray => probe::ndarray(),
            Self::Flex => probe::flex(),
            Self::Wgpu => probe::wgpu(),
        };
        let device = device.ok_or(BackendError::NoDevice { backend: self })?;
        let name = probe::compute(&device).map_err(|reason| BackendError::Broken { backend: self, reason })?;
        let (description, name) = match self {
            Self::NdArray | Self::Flex => (probe::threads(), None),
            Self::Wgpu => (name.clone().unwrap_or_default(), name),
        };
        Ok(Opened { backend: self, device, description, name })
    }
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Opens a device by name: a backend's, or `auto` for a real GPU if there is one and else the fastest CPU backend.
///
/// # Errors
/// [`BackendError::Unknown`] for another name, and whatever [`Backend::open`] says.
pub fn open(name: &str) -> Result<Opened, BackendError> {
    if name == "auto" {
        return open_best();
    }
    match Backend::ALL.into_iter().find(|backend| backend.name() == name) {
        Some(backend) => backend.open(),
        None => Err(BackendError::Unknown { name: name.to_string() }),
    }
}

/// A real GPU that works, else the first CPU backend of [`Backend::ALL`] in this build. A software renderer is never
/// taken: any CPU backend is faster.
fn open_best() -> Result<Opened, BackendError> {
    settings::settle();
    if probe::has_gpu()
        && let Ok(opened) = Backend::Wgpu.open()
    {
        return Ok(opened);
    }
    Backend::open_cpu()
}

/// Tries every backend, for `attentive devices`.
pub fn survey() -> Vec<Availability> {
    Backend::ALL.into_iter().map(|backend| Availability { backend, result: backend.open() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = open("cuda").expect_err("no such backend");
        assert_eq!(error.to_string(), "there is no backend `cuda`");
        assert_eq!(error.hint().as_deref(), Some("choose `auto`, `flex`, `ndarray`, `wgpu`"));
    }

    #[test]
    fn cpu_backends_open_and_auto_never_takes_software_vulkan() {
        for backend in [Backend::Flex, Backend::NdArray] {
            if backend.is_built() {
                assert_eq!(backend.open().expect("a CPU is always there").backend, backend);
            }
        }
        let auto = open("auto").expect("a CPU is always there");
        assert_eq!(auto.backend == Backend::Wgpu, probe::has_gpu());
    }
}
