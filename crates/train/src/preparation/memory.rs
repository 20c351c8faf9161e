//! How much memory this process may still take: the smallest of what the machine has, what every group of processes that
//! it is in leaves, and its own limits. Read from the files in which Linux says so.

use std::fs;
use std::path::Path;

/// The bytes of memory that may still be taken. `None` where the system does not say.
pub(crate) fn available() -> Option<u64> {
    available_under(Path::new("/"))
}

/// The same, of the `/proc` and `/sys` under another root.
fn available_under(root: &Path) -> Option<u64> {
    let machine = read(root, "proc/meminfo").and_then(|text| kibibytes(&text, "MemAvailable:"));
    let groups = read(root, "proc/self/cgroup").unwrap_or_default();
    let groups = groups.lines().flat_map(|line| left_in_groups(root, line));
    machine.into_iter().chain(groups).chain(left_of_limits(root)).min()
}

/// What is left in the group that a line of `/proc/self/cgroup` names, and in every group around it. A container may see
/// its own group as the outermost, whatever the line says.
fn left_in_groups(root: &Path, line: &str) -> Vec<u64> {
    let mut parts = line.splitn(3, ':');
    let (Some(_), Some(controllers), Some(group)) = (parts.next(), parts.next(), parts.next()) else {
        return Vec::new();
    };
    let (mount, limit, used) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max", "memory.current"),
        _ if controllers.split(',').any(|controller| controller == "memory") => {
            ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
        }
        _ => return Vec::new(),
    };
    let names = group.split('/').filter(|name| !["", ".", ".."].contains(name));
    let mut directory = mount.to_string();
    let mut directories = vec![directory.clone()];
    directories.extend(names.map(|name| {
        directory = format!("{directory}/{name}");
        directory.clone()
    }));
    let left = |directory: &String| {
        let number = |file: &str| read(root, &format!("{directory}/{file}"))?.trim().parse::<u64>().ok();
        // Files that the system has read ahead or kept make room when somebody needs it.
        let kept = read(root, &format!("{directory}/memory.stat")).and_then(|stat| {
            let inactive =
                |name: &str| stat.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
            inactive("total_inactive_file ").or_else(|| inactive("inactive_file "))
        });
        let used = number(used).unwrap_or(0).saturating_sub(kept.unwrap_or(0));
        Some(number(limit)?.saturating_sub(used))
    };
    directories.iter().filter_map(left).collect()
}

/// What is left of the limits of this process on its address space and its data. What it holds is counted, not what its
/// allocator has only reserved; but the allocator reserves in large pieces, so that three tenths of the rest cannot be counted on.
fn left_of_limits(root: &Path) -> Option<u64> {
    let limits = read(root, "proc/self/limits")?;
    let soft =
        |name: &str| limits.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    let limit: u64 = [soft("Max address space"), soft("Max data size")].into_iter().flatten().min()?;
    let held = read(root, "proc/self/status").and_then(|status| kibibytes(&status, "VmRSS:")).unwrap_or(0);
    Some(limit.saturating_sub(held) / 10 * 7)
}

fn read(root: &Path, file: &str) -> Option<String> {
    fs::read_to_string(root.join(file)).ok()
}

/// The value of a line such as `VmRSS:  1024 kB`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use temp_dir::TempDir;

    use super::*;

    const MEMINFO: &str = "MemTotal:       24689764 kB\nMemFree:          100 kB\nMemAvailable:   23000000 kB\n";
    const UNLIMITED: &str = "\
Limit                     Soft Limit           Hard Limit           Units
Max data size             unlimited            unlimited            bytes
Max address space         unlimited            unlimited            bytes
";

    fn with(files: &[(&str, &str)]) -> Option<u64> {
        let root = TempDir::new().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        available_under(root.path())
    }

    #[test]
    fn without_limits_it_is_the_machine_s() {
        let machine = Some(23_000_000 * 1024);
        assert_eq!(with(&[("proc/meminfo", MEMINFO)]), machine);
        assert_eq!(
            with(&[
                ("proc/meminfo", MEMINFO),
                ("proc/self/cgroup", "0::/\n"),
                ("sys/fs/cgroup/memory.max", "max\n"),
                ("sys/fs/cgroup/memory.current", "4096\n"),
                ("proc/self/limits", UNLIMITED),
            ]),
            machine
        );
        assert_eq!(with(&[("proc/meminfo", "MemTotal: 1 kB\n")]), None);
        assert_eq!(with(&[]), None);
    }

    /// A limit of any group around that of the process counts: here that of the service, not of the machine or the job.
    #[test]
    fn nested_groups_of_version_2_leave_what_the_tightest_leaves() {
        let files = [
            ("proc/meminfo", MEMINFO),
            ("proc/self/cgroup", "0::/jobs.slice/train.service/one\n"),
            ("sys/fs/cgroup/jobs.slice/memory.max", "9000000000\n"),
            ("sys/fs/cgroup/jobs.slice/memory.current", "1000000000\n"),
            ("sys/fs/cgroup/jobs.slice/train.service/memory.max", "2000000000\n"),
            ("sys/fs/cgroup/jobs.slice/train.service/memory.current", "700000000\n"),
            ("sys/fs/cgroup/jobs.slice/train.service/memory.stat", "anon 500000000\ninactive_file 200000000\n"),
            ("sys/fs/cgroup/jobs.slice/train.service/one/memory.max", "max\n"),
            ("sys/fs/cgroup/jobs.slice/train.service/one/memory.current", "600000000\n"),
        ];
        assert_eq!(with(&files), Some(1_500_000_000));
    }

    #[test]
    fn groups_of_version_1_count_and_those_of_other_controllers_do_not() {
        let files = [
            ("proc/meminfo", MEMINFO),
            ("proc/self/cgroup", "9:cpu,cpuacct:/tight\n4:memory:/docker/abc\n1:name=systemd:/docker/abc\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "8000000000\n"),
            ("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "3000000000\n"),
            ("sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes", "1000000000\n"),
            ("sys/fs/cgroup/memory/tight/memory.limit_in_bytes", "1\n"),
        ];
        assert_eq!(with(&files), Some(2_000_000_000));
    }

    /// A container sees its own group as the root of the mount, and the name that the host gives it.
    #[test]
    fn a_container_s_own_group_counts_where_its_name_leads_nowhere() {
        let v1 = [
            ("proc/self/cgroup", "4:memory:/docker/abc\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000000\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "400000000\n"),
        ];
        assert_eq!(with(&v1), Some(600_000_000));
        let v2 = [("proc/self/cgroup", "0::/../..\n"), ("sys/fs/cgroup/memory.max", "1000000000\n")];
        assert_eq!(with(&v2), Some(1_000_000_000));
    }

    #[test]
    fn the_limits_of_the_process_count() {
        let space = UNLIMITED.replace("space         unlimited ", "space         2147483648");
        let files = |limits| [("proc/meminfo", MEMINFO), ("proc/self/limits", limits), ("proc/self/status", STATUS)];
        const STATUS: &str = "Name:\tattentive\nVmSize:\t 1200000 kB\nVmRSS:\t  102400 kB\n";
        assert_eq!(with(&files(&space)), Some((2_147_483_648 - (100 << 20)) / 10 * 7));
        let data = space.replace("size             unlimited ", "size             1073741824");
        assert_eq!(with(&files(&data)), Some((1_073_741_824 - (100 << 20)) / 10 * 7));
        assert_eq!(with(&files(&data.replace("1073741824", "1"))), Some(0));
    }
}
