/** What the server saw of requests, for /metrics: labels are ids of routes, never what a caller wrote. */

export interface SeenRequest {
  readonly method: string;
  /** Id of the route, `none` where there was none. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

export interface RouteTraffic {
  readonly route: string;
  readonly method: string;
  readonly statuses: ReadonlyMap<number, number>;
  readonly seconds: number;
  readonly count: number;
  /** How many took at most `DURATION_BUCKETS_S[i]`. */
  readonly buckets: readonly number[];
}

export interface Traffic {
  seen(request: SeenRequest): void;
  byRoute(): readonly RouteTraffic[];
}

export const DURATION_BUCKETS_S = [0.005, 0.025, 0.1, 0.5, 1, 5, 30] as const;
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST"]);

interface Counts {
  readonly route: string;
  readonly method: string;
  readonly statuses: Map<number, number>;
  readonly buckets: number[];
  seconds: number;
  count: number;
}

export function openTraffic(): Traffic {
  const all = new Map<string, Counts>();
  return {
    seen({ route, status, seconds, ...request }) {
      const method = METHODS.has(request.method) ? request.method : "other";
      const key = `${method} ${route}`;
      const counts = all.get(key) ?? {
        route,
        method,
        statuses: new Map(),
        buckets: DURATION_BUCKETS_S.map(() => 0),
        seconds: 0,
        count: 0,
      };
      all.set(key, counts);
      counts.statuses.set(status, (counts.statuses.get(status) ?? 0) + 1);
      for (const [at, le] of DURATION_BUCKETS_S.entries())
        if (seconds <= le) counts.buckets[at] = (counts.buckets[at] ?? 0) + 1;
      counts.seconds += seconds;
      counts.count += 1;
    },
    byRoute: () => [...all.values()].sort((a, b) => (`${a.route} ${a.method}` < `${b.route} ${b.method}` ? -1 : 1)),
  };
}
