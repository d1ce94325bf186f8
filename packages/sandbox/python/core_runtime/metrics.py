"""The program's own counters of flows, blocks and containers, as they are now; nothing else that it counts is a pack's to see."""
import host_lines


class MetricsCollector:
    def snapshot(self):
        """{counters, gauges, histograms}, each {name: [{labels, value}]}; a histogram has {labels, count, sum}.

        ConnectionError where the program cannot be asked."""
        try:
            answer = host_lines.program().ask({"op": "metrics_snapshot"})[0]
        except host_lines.NoSocket as problem:
            raise ConnectionError("the program cannot be asked: %s" % problem) from None
        if answer.get("success") is not True:
            raise ConnectionError(answer.get("error", "the program gave no snapshot"))
        return {kind: answer[kind] for kind in ("counters", "gauges", "histograms")}


_collector = MetricsCollector()


def get_metrics_collector():
    return _collector
