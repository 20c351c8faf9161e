"""The machine that is measured on: what it is, how busy others keep it, and the memory of a process. Linux only."""

import os
import pathlib
import platform
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_times():
    """Seconds that all cores were busy since the machine started, time taken by other guests of the host included."""
    fields = [int(field) for field in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _waiting, irq, soft, stolen = fields
    return (user + nice + system + irq + soft + stolen) / TICK


def busy_share(seconds):
    """The share of all cores that is in use, over so long."""
    before, start = cpu_times(), time.perf_counter()
    time.sleep(seconds)
    return (cpu_times() - before) / (time.perf_counter() - start) / os.cpu_count()


def others_share(before, wall, own):
    """The share of all cores that others used since `before`, where the measured process used `own` seconds."""
    return max(0.0, (cpu_times() - before - own) / wall / os.cpu_count())


def peak_bytes(pid):
    return _status(pid, "VmHWM:")


def resident_bytes(pid):
    return _status(pid, "VmRSS:")


def _status(pid, name):
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), 0)


def available_bytes():
    lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def describe():
    """What is written above the tables."""
    lines = [line.split(":", 1) for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if ":" in line]
    found = {name.strip(): value.strip() for name, value in reversed(lines)}
    flags = set(found.get("flags", "").split())
    system = (
        platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
        if hasattr(platform, "freedesktop_os_release")
        else platform.system()
    )
    return {
        "cpu": found.get("model name", platform.processor() or platform.machine()),
        "family": f"family {found.get('cpu family', '?')}, model {found.get('model', '?')}",
        "cores": os.cpu_count(),
        "cache": found.get("cache size", ""),
        "flags": [
            flag for flag in ("avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16") if flag in flags
        ],
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * PAGE / 2**30),
        "system": f"{system}, Linux {platform.release()}",
        "python": platform.python_version(),
        "commit": _commit(),
    }


def _commit():
    root = pathlib.Path(__file__).resolve().parent
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
