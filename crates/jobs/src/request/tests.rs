use super::*;
use crate::script::Script;
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn some(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

/// Eight nodes of 64 cores, 512 GB and 4 GPUs.
fn partition() -> PartitionShape {
    PartitionShape {
        nodes: some(8),
        cores_per_node: some(64),
        memory_per_node: Memory::gibibytes(512),
        gpus_per_node: 4,
        time_limit_default_seconds: some(3_600),
        time_limit_max_seconds: some(2 * 86_400),
        whole_nodes: false,
    }
}

fn asked(options: &str) -> Directives {
    let script = format!("#!/bin/sh\n#SBATCH {options}\n");
    Script::parse(script.as_bytes(), &[]).unwrap().directives().clone()
}

/// Shows what each line of options comes to.
fn check(lines: &str, partition: &PartitionShape, expected: Expect) {
    let mut shown = String::new();
    for line in lines.lines().map(str::trim) {
        let outcome = match normalise(&asked(line), partition) {
            Ok(request) => format!("{} tasks, {request}", request.tasks),
            Err(misfit) => format!("no: {misfit}"),
        };
        shown.push_str(&format!("{line} -> {outcome}\n"));
    }
    expected.assert_eq(&shown);
}

#[test]
fn what_is_left_open_is_filled_in() {
    check(
        "\n-c 16\n-n 3 -c 4\n-N 2\n-N 2 --ntasks-per-node=4 -c 16\n-n 9 --ntasks-per-node=4\n-t UNLIMITED",
        &partition(),
        expect![[r#"
             -> 1 tasks, 1 nodes, 1 cores, 8G memory, 0 GPUs, at most 01:00:00
            -c 16 -> 1 tasks, 1 nodes, 16 cores, 128G memory, 0 GPUs, at most 01:00:00
            -n 3 -c 4 -> 3 tasks, 1 nodes, 12 cores, 96G memory, 0 GPUs, at most 01:00:00
            -N 2 -> 2 tasks, 2 nodes, 2 cores, 16G memory, 0 GPUs, at most 01:00:00
            -N 2 --ntasks-per-node=4 -c 16 -> 8 tasks, 2 nodes, 128 cores, 1024G memory, 0 GPUs, at most 01:00:00
            -n 9 --ntasks-per-node=4 -> 9 tasks, 3 nodes, 9 cores, 72G memory, 0 GPUs, at most 01:00:00
            -t UNLIMITED -> 1 tasks, 1 nodes, 1 cores, 8G memory, 0 GPUs, at most 2-00:00:00
        "#]],
    );
}

#[test]
fn gpus_may_be_asked_for_in_total_or_a_node() {
    check(
        "-G 2\n-G 6 -n 6\n-G 8\n-N 2 --gres=gpu:3\n-G 8 --gpus-per-node=4\n--gpus-per-node=2 --gres=gpu:2",
        &partition(),
        expect![[r#"
            -G 2 -> 1 tasks, 1 nodes, 1 cores, 256G memory, 2 GPUs, at most 01:00:00
            -G 6 -n 6 -> 6 tasks, 2 nodes, 6 cores, 768G memory, 6 GPUs, at most 01:00:00
            -G 8 -> 2 tasks, 2 nodes, 2 cores, 1024G memory, 8 GPUs, at most 01:00:00
            -N 2 --gres=gpu:3 -> 2 tasks, 2 nodes, 2 cores, 768G memory, 6 GPUs, at most 01:00:00
            -G 8 --gpus-per-node=4 -> 2 tasks, 2 nodes, 2 cores, 1024G memory, 8 GPUs, at most 01:00:00
            --gpus-per-node=2 --gres=gpu:2 -> 1 tasks, 1 nodes, 1 cores, 256G memory, 2 GPUs, at most 01:00:00
        "#]],
    );
}

#[test]
fn memory_may_be_asked_for_a_node_or_a_core() {
    check(
        "--mem=4G\n-N 2 --mem=4G\n-c 4 --mem-per-cpu=2G\n--mem=0",
        &partition(),
        expect![[r#"
            --mem=4G -> 1 tasks, 1 nodes, 1 cores, 4G memory, 0 GPUs, at most 01:00:00
            -N 2 --mem=4G -> 2 tasks, 2 nodes, 2 cores, 8G memory, 0 GPUs, at most 01:00:00
            -c 4 --mem-per-cpu=2G -> 1 tasks, 1 nodes, 4 cores, 8G memory, 0 GPUs, at most 01:00:00
            --mem=0 -> 1 tasks, 1 nodes, 1 cores, 512G memory, 0 GPUs, at most 01:00:00
        "#]],
    );
}

#[test]
fn a_range_of_nodes_gives_the_fewest_that_hold_the_job() {
    check(
        "-N 1-4 -n 130\n-N 2-4 -n 4\n-n 130\n-N 1-2 -n 130",
        &partition(),
        expect![[r#"
            -N 1-4 -n 130 -> 130 tasks, 3 nodes, 130 cores, 1040G memory, 0 GPUs, at most 01:00:00
            -N 2-4 -n 4 -> 4 tasks, 2 nodes, 4 cores, 32G memory, 0 GPUs, at most 01:00:00
            -n 130 -> 130 tasks, 3 nodes, 130 cores, 1040G memory, 0 GPUs, at most 01:00:00
            -N 1-2 -n 130 -> no: its fullest node would need 65 cores; a node has 64: ask for fewer tasks or cores a node, or for more nodes
        "#]],
    );
}

#[test]
fn whole_nodes_take_all_that_the_nodes_have() {
    check(
        "--exclusive -N 2 -c 4",
        &partition(),
        expect![[r#"
            --exclusive -N 2 -c 4 -> 2 tasks, 2 nodes, 128 cores, 1024G memory, 8 GPUs, at most 01:00:00
        "#]],
    );
    let always = PartitionShape { whole_nodes: true, ..partition() };
    assert_eq!(normalise(&asked("-G 1"), &always).unwrap().gpus, 4);
}

#[test]
fn what_does_not_fit_is_refused_with_what_would() {
    check(
        "-N 9\n-c 65\n--gpus-per-node=5\n-G 33\n--mem=513G\n-t 3-0\n-c 8 --mem-per-cpu=128G",
        &partition(),
        expect![[r#"
            -N 9 -> no: it needs 9 nodes; the partition has 8
            -c 65 -> no: its fullest node would need 65 cores; a node has 64: ask for fewer tasks or cores a node, or for more nodes
            --gpus-per-node=5 -> no: its fullest node would need 5 GPUs; a node has 4: ask for fewer GPUs or for more nodes
            -G 33 -> no: its fullest node would need 5 GPUs; a node has 4: ask for fewer GPUs or for more nodes
            --mem=513G -> no: it would need 513G of memory on a node; a node has 512G: ask for less memory, fewer cores a node, or more nodes
            -t 3-0 -> no: it asks for 3-00:00:00; the longest job here runs 2-00:00:00
            -c 8 --mem-per-cpu=128G -> no: it would need 1024G of memory on a node; a node has 512G: ask for less memory, fewer cores a node, or more nodes
        "#]],
    );
    let plain = PartitionShape { gpus_per_node: 0, ..partition() };
    assert_eq!(normalise(&asked("-G 1"), &plain), Err(Misfit::NoGpus));
    assert_eq!(normalise(&asked("-G 0"), &plain).unwrap().gpus, 0);
}

#[test]
fn gpus_say_how_many_cores_tasks_and_how_much_memory() {
    check(
        "-n 4 --gpus-per-task=2\n-G 4 --cpus-per-gpu=6 --mem-per-gpu=10G\n-N 1 -G 4 --ntasks-per-gpu=2\n-G 4 --gpus-per-task=2\n-n 3 -G 4 --gpus-per-task=2\n-G 1 -c 2 --cpus-per-gpu=2",
        &partition(),
        expect![[r#"
            -n 4 --gpus-per-task=2 -> 4 tasks, 2 nodes, 4 cores, 1024G memory, 8 GPUs, at most 01:00:00
            -G 4 --cpus-per-gpu=6 --mem-per-gpu=10G -> 1 tasks, 1 nodes, 24 cores, 40G memory, 4 GPUs, at most 01:00:00
            -N 1 -G 4 --ntasks-per-gpu=2 -> 8 tasks, 1 nodes, 8 cores, 512G memory, 4 GPUs, at most 01:00:00
            -G 4 --gpus-per-task=2 -> 2 tasks, 1 nodes, 2 cores, 512G memory, 4 GPUs, at most 01:00:00
            -n 3 -G 4 --gpus-per-task=2 -> no: the GPUs asked for are not the number of tasks times --gpus-per-task; give one of them
            -G 1 -c 2 --cpus-per-gpu=2 -> no: --cpus-per-task and --cpus-per-gpu cannot both hold; give one of them
        "#]],
    );
}

#[test]
fn contradictions_are_named() {
    check(
        "-N 4 -n 2\n-N 2 -n 9 --ntasks-per-node=4\n-N 2 -G 3 --gpus-per-node=1\n--gpus-per-node=1 --gres=gpu:2\n--mem=1G --mem-per-cpu=1G",
        &partition(),
        expect![[r#"
            -N 4 -n 2 -> no: there are fewer tasks than nodes; ask for fewer nodes or more tasks
            -N 2 -n 9 --ntasks-per-node=4 -> no: --ntasks is more than the nodes hold with --ntasks-per-node; ask for more nodes
            -N 2 -G 3 --gpus-per-node=1 -> no: --gpus is not the number of nodes times the GPUs on each; give one of them
            --gpus-per-node=1 --gres=gpu:2 -> no: --gpus-per-node and --gres ask for different numbers of GPUs; give one of them
            --mem=1G --mem-per-cpu=1G -> no: of --mem, --mem-per-cpu and --mem-per-gpu only one can hold; give one of them
        "#]],
    );
}

fn any_asked() -> impl Strategy<Value = Directives> {
    let count = |most: u32| proptest::option::of((1..=most).prop_map(some));
    let gpus =
        || proptest::option::of((0u32..40).prop_map(|count| GpuCount { model: None, count }));
    let memory = || proptest::option::of((0u64..600_000).prop_map(Memory::mebibytes));
    let nodes =
        proptest::option::of((1u32..12, 0u32..6).prop_map(|(min, more)| NodeRange {
            min: some(min),
            max: some(min.saturating_add(more)),
        }));
    (nodes, count(300), count(80), count(70), gpus(), gpus(), memory(), memory(), any::<bool>())
        .prop_map(
            |(
                nodes,
                ntasks,
                ntasks_per_node,
                cpus_per_task,
                gpus,
                gpus_per_node,
                memory,
                memory_per_cpu,
                exclusive,
            )| {
                Directives {
                    nodes,
                    ntasks,
                    ntasks_per_node,
                    cpus_per_task,
                    gpus,
                    gpus_per_node,
                    memory,
                    memory_per_cpu,
                    exclusive,
                    ..Directives::default()
                }
            },
        )
}

proptest! {
    #[test]
    fn what_is_accepted_fits_the_partition_and_holds_what_was_asked(asked in any_asked()) {
        let partition = partition();
        let Ok(request) = normalise(&asked, &partition) else { return Ok(()) };
        let nodes = request.nodes.get();
        prop_assert!(nodes <= 8);
        prop_assert!(request.cores.get() <= nodes * 64);
        prop_assert!(request.memory <= Memory::gibibytes(512).times(nodes));
        prop_assert!(request.gpus <= nodes * 4);
        if let Some(range) = asked.nodes {
            prop_assert!((range.min..=range.max).contains(&request.nodes));
        }
        if let Some(tasks) = asked.ntasks {
            prop_assert_eq!(request.tasks, tasks);
        }
        let per_task = asked.cpus_per_task.map_or(1, NonZeroU32::get);
        prop_assert!(request.cores.get() >= request.tasks.get() * per_task);
        if let Some(gpus) = asked.gpus {
            prop_assert!(request.gpus >= gpus.count);
        }
        if let Some(memory) = asked.memory {
            prop_assert!(request.memory >= memory.times(nodes));
        }
    }
}
