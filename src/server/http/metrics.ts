/**
 * /metrics: Prometheus' text exposition format 0.0.4. Names follow its conventions: a prefix, base units, `_total` for
 * counters; every metric has a help text. Labels are names from the configuration, or words of closed sets.
 */
import type { MetricFacts } from "../view.ts";
import { DURATION_BUCKETS_S, type RouteTraffic } from "./traffic.ts";

type Labels = Readonly<Record<string, string | number>>;

interface Sample {
  /** `_bucket`, `_sum`, `_count` of a histogram; empty for all else. */
  readonly suffix?: string;
  readonly labels?: Labels;
  readonly value: number;
}

interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly samples: readonly Sample[];
}

interface Histogram {
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
  readonly sum: number;
  readonly count: number;
}

export function metricsText(facts: MetricFacts, traffic: readonly RouteTraffic[], version: string): string {
  return [...serviceMetrics(facts, version), ...trafficMetrics(traffic)].map(metricText).join("");
}

function serviceMetrics(facts: MetricFacts, version: string): readonly Metric[] {
  const { queue, polls, decisions, targets, landingToRelease } = facts;
  return [
    gauge("sluice_build_info", "Always 1; the version is a label.", [{ labels: { version }, value: 1 }]),
    gauge("sluice_start_time_seconds", "When the service began, since the epoch.", [{ value: facts.startedAt / 1000 }]),
    gauge("sluice_log_entries", "Entries of the decision log.", [{ value: facts.logSize }]),
    gauge(
      "sluice_log_free_bytes",
      "Free space of the volume that holds the log.",
      facts.freeBytes === null ? [] : [{ value: facts.freeBytes }],
    ),
    gauge("sluice_queue_changes", "Changes that are not decided yet, by state.", [
      { labels: { state: "proposal" }, value: queue.proposals },
      { labels: { state: "landing" }, value: queue.landings },
      { labels: { state: "running" }, value: queue.running },
    ]),
    counter(
      "sluice_polls_total",
      "Looks at a repository for what is new.",
      polls.flatMap(({ repository, succeeded, failed }) => [
        { labels: { repository, outcome: "succeeded" }, value: succeeded },
        { labels: { repository, outcome: "failed" }, value: failed },
      ]),
    ),
    gauge(
      "sluice_last_poll_success_timestamp_seconds",
      "When a repository was last looked at without a failure, since the epoch.",
      polls.flatMap(({ repository, lastSuccessAt: at }) =>
        at === null ? [] : [{ labels: { repository }, value: at / 1000 }],
      ),
    ),
    counter(
      "sluice_decisions_total",
      "Decisions that were logged, by what was judged and how.",
      decisions.map(({ target, subject, verdict, count }) => ({ labels: { target, subject, verdict }, value: count })),
    ),
    gauge(
      "sluice_release_sequence",
      "Sequence of a target's newest release; 0 before the first.",
      targets.map(({ target, sequence }) => ({ labels: { target }, value: sequence })),
    ),
    gauge(
      "sluice_target_held",
      "1 while a hold stands over a target.",
      targets.map(({ target, held }) => ({ labels: { target }, value: held ? 1 : 0 })),
    ),
    gauge(
      "sluice_target_review_owed",
      "1 while what one operator alone released in an emergency is not reviewed.",
      targets.map(({ target, review }) => ({ labels: { target }, value: review === null ? 0 : 1 })),
    ),
    gauge(
      "sluice_target_review_overdue",
      "1 while such a review is overdue.",
      targets.map(({ target, review }) => ({ labels: { target }, value: review === "overdue" ? 1 : 0 })),
    ),
    gauge(
      "sluice_head_expiry_timestamp_seconds",
      "Until when a target's newest head counts, since the epoch.",
      targets.flatMap(({ target, headNotAfter: at }) =>
        at === null ? [] : [{ labels: { target }, value: at / 1000 }],
      ),
    ),
    histogram("sluice_landing_to_release_duration_seconds", "From the sight of a landed commit to its new head.", [
      { labels: {}, of: landingToRelease },
    ]),
  ];
}

function trafficMetrics(traffic: readonly RouteTraffic[]): readonly Metric[] {
  const requests = traffic.flatMap(({ route, method, statuses }) =>
    [...statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, value]) => ({ labels: { route, method, code: status }, value })),
  );
  const durations = traffic.map(({ route, method, buckets, seconds, count }) => ({
    labels: { route, method },
    of: { buckets: DURATION_BUCKETS_S.map((le, at) => ({ le, count: buckets[at] ?? 0 })), sum: seconds, count },
  }));
  return [
    counter("sluice_http_requests_total", "Requests that were answered, by route, method and status.", requests),
    histogram("sluice_http_request_duration_seconds", "From a request's head to the end of its answer.", durations),
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, type: "gauge", help, samples };
}

function counter(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, type: "counter", help, samples };
}

function histogram(
  name: string,
  help: string,
  all: readonly { readonly labels: Labels; readonly of: Histogram }[],
): Metric {
  const samples = all.flatMap(({ labels, of: { buckets, sum, count } }) => [
    ...buckets.map((one) => ({ suffix: "_bucket", labels: { ...labels, le: one.le }, value: one.count })),
    { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: count },
    { suffix: "_sum", labels, value: sum },
    { suffix: "_count", labels, value: count },
  ]);
  return { name, type: "histogram", help, samples };
}

/** A metric without a sample still says that it exists. */
function metricText({ name, type, help, samples }: Metric): string {
  const lines = samples.map(
    ({ suffix = "", labels = {}, value }) => `${name}${suffix}${labelsText(labels)} ${value}\n`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
