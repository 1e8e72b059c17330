"""What a proof prints of times: percentiles of answers, and which processes used the processors."""

import os
from collections.abc import Sequence
from pathlib import Path

import psutil

# Of the machine's clock, what is no work of anybody's.
_IDLE = ("idle", "iowait", "guest", "guest_nice")


def percentiles(what: str, milliseconds: Sequence[float]) -> str:
    """One line: median, p95, p99 and the longest."""
    if not milliseconds:
        return f"  {what:<34} none"
    ordered = sorted(milliseconds)
    p50, p95, p99 = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95, 0.99))
    return (
        f"  {what:<34} p50 {p50:7.1f}   p95 {p95:7.1f}   p99 {p99:7.1f}   longest {ordered[-1]:7.1f} ms   "
        f"n {len(ordered):,}"
    )


class ProcessorTime:
    """Processor seconds by group of processes, from its making to `lines`."""

    def __init__(self, home: Path, *, client_pid: int | None = None) -> None:
        self._home = home
        self._client_pid = client_pid or os.getpid()
        self._before = self._seconds()

    def lines(self, window_s: float, *, ratings: int) -> list[str]:
        """What each group used: seconds, the share of one processor over `window_s`, milliseconds for each rating."""
        now = self._seconds()
        used = {group: seconds - self._before.get(group, 0) for group, seconds in now.items()}
        machine = used.pop("machine")
        used["everything else on this machine"] = max(0, machine - sum(used.values()))
        return [
            f"  {group:<34} {seconds:7.1f} s   {seconds / window_s:6.1%} of one   "
            f"{1000 * seconds / max(1, ratings):6.2f} ms a rating"
            for group, seconds in used.items()
        ]

    def _seconds(self) -> dict[str, float]:
        seconds = {
            "web server": 0.0,
            "postgres": sum(map(_used, self._postgres())),
            "workers, beat, broker": 0.0,
            "client": _used(psutil.Process(self._client_pid)),
        }
        for process in psutil.process_iter():
            group = self._group(process)
            if group:
                seconds[group] += _used(process)
        clock = psutil.cpu_times()._asdict()
        return seconds | {"machine": sum(value for kind, value in clock.items() if kind not in _IDLE)}

    def _group(self, process: psutil.Process) -> str:
        """Of the processes that `manage.py serve` started; nothing for all others."""
        try:
            command = " ".join(process.cmdline())
            if process.environ().get("EARMARK_HOME") != str(self._home) or process.name() == "postgres":
                return ""
        except psutil.Error:
            return ""
        if "webapp.wsgi" in command:
            return "web server"
        ours = ("celery", "valkey", "worker.scoring")
        return "workers, beat, broker" if any(name in command for name in ours) else ""

    def _postgres(self) -> list[psutil.Process]:
        # PostgreSQL writes what it does over its environment, so its processes are found by their parent.
        postmaster = psutil.Process(int((self._home / "postgres" / "postmaster.pid").read_text().split()[0]))
        return [postmaster, *postmaster.children()]


def _used(process: psutil.Process) -> float:
    """By a process, and by those of its children that have ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0
    return float(times.user + times.system + times.children_user + times.children_system)
