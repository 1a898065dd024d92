//! What a job holds, kind by kind, as limits and priorities count it.

/// A kind of resource that is counted; Slurm's *trackable resources*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Processor cores.
    Cpu,
    /// Main memory in mebibytes.
    Memory,
    /// Nodes.
    Node,
    /// GPUs.
    Gpu,
    /// What the partition's weights make of all others; fair share counts this.
    Billing,
}

impl Resource {
    /// Every kind, in the order of [`Tres`].
    pub const ALL: [Self; 5] = [Self::Cpu, Self::Memory, Self::Node, Self::Gpu, Self::Billing];
}

/// An amount of every kind, or what is known of every kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tres<T = u64>([T; 5]);

impl<T: Copy> Tres<T> {
    /// The same of every kind.
    pub const fn all(value: T) -> Self {
        Self([value; 5])
    }

    /// The amount of one kind.
    pub const fn of(&self, resource: Resource) -> T {
        let [cpu, memory, node, gpu, billing] = self.0;
        match resource {
            Resource::Cpu => cpu,
            Resource::Memory => memory,
            Resource::Node => node,
            Resource::Gpu => gpu,
            Resource::Billing => billing,
        }
    }

    /// The same with another amount of one kind.
    #[must_use]
    pub const fn with(mut self, resource: Resource, value: T) -> Self {
        let [cpu, memory, node, gpu, billing] = &mut self.0;
        match resource {
            Resource::Cpu => *cpu = value,
            Resource::Memory => *memory = value,
            Resource::Node => *node = value,
            Resource::Gpu => *gpu = value,
            Resource::Billing => *billing = value,
        }
        self
    }

    /// Kind by kind, together with `other`.
    #[must_use]
    pub fn zip<U: Copy, V>(self, other: Tres<U>, join: impl Fn(T, U) -> V) -> Tres<V> {
        let [a, b, c, d, e] = self.0;
        let [v, w, x, y, z] = other.0;
        Tres([join(a, v), join(b, w), join(c, x), join(d, y), join(e, z)])
    }

    /// Each kind with its amount.
    pub fn iter(self) -> impl Iterator<Item = (Resource, T)> {
        Resource::ALL.into_iter().zip(self.0)
    }
}
