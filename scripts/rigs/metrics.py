"""The server's /metrics, asked as Prometheus does; histograms as differences between two moments."""

from __future__ import annotations

import http.client
import re

from server import RigError

BUCKET = re.compile(r'^(tickserver_\w+)_bucket\{.*le="([^"]+)"\} (\d+)$', re.MULTILINE)
LATENESS = "tickserver_tick_lateness_seconds"

# Ticks at most so late, by seconds.
Histogram = dict[float, int]


class Scraper:
    """Asks again and again over one connection, as Prometheus does."""

    def __init__(self, admin: str):
        self.connection = http.client.HTTPConnection(admin, timeout=5)

    def scrape(self) -> str:
        self.connection.request("GET", "/metrics")
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise RigError(f"/metrics answered {answer.status}")
        return text

    def histogram(self, name: str = LATENESS) -> Histogram:
        """Of all loops together."""
        return histogram_of(self.scrape(), name)


def histogram_of(page: str, name: str) -> Histogram:
    counts: Histogram = {}
    for series, bound, count in BUCKET.findall(page):
        if series == name:
            counts[float(bound)] = counts.get(float(bound), 0) + int(count)
    if not counts:
        raise RigError(f"/metrics has no histogram {name}")
    return counts


def difference(later: Histogram, earlier: Histogram) -> Histogram:
    return {bound: count - earlier[bound] for bound, count in later.items()}


def total(histograms: list[Histogram]) -> Histogram:
    return {bound: sum(histogram[bound] for histogram in histograms) for bound in histograms[0]}


def percentile(histogram: Histogram, share: float) -> float:
    """Seconds; geometric within a bucket, as the bounds are. What is above the last bound counts as that."""
    bounds = sorted(histogram)
    wanted = share * histogram[bounds[-1]]
    lower, below = bounds[0] / 2, 0
    for bound in bounds:
        count = histogram[bound]
        if count >= wanted:
            if bound == float("inf"):
                return lower
            return lower * (bound / lower) ** ((wanted - below) / max(1, count - below))
        lower, below = bound, count
    return lower
