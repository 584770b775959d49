import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** One call that is measured. */
export interface Measured {
  name: string;
  /** package.Service.Method */
  method: string;
  data: object;
  token?: string;
}

/** What a run of one call at one number of connections gave. */
export interface Result {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  failed: number;
  /** Processor time of a call, in milliseconds. */
  serviceCpuMs: number;
  databaseCpuMs: number | undefined;
}

interface GhzReport {
  count: number;
  rps: number;
  latencyDistribution: { percentage: number; latency: number }[] | null;
  statusCodeDistribution: Record<string, number>;
}

const run = promisify(execFile);
const TICKS_PER_SECOND = 100;

/** Runs ghz for that many seconds with as many callers as connections. */
export async function measure(
  ghz: string,
  address: string,
  call: Measured,
  connections: number,
  seconds: number,
  pids: { service: number; database?: number },
): Promise<Result> {
  const args = [
    ...['--insecure', '--protoset', 'src/gen/descriptor.binpb', '--call', call.method],
    ...[
      '-c',
      String(connections),
      '--connections',
      String(connections),
      '-z',
      `${seconds}s`,
      '--duration-stop',
      'wait',
    ],
    ...['-d', JSON.stringify(call.data), '-O', 'json'],
    ...(call.token ? ['-m', JSON.stringify({ token: call.token })] : []),
    address,
  ];
  const before = cpuOf(pids);
  const { stdout } = await run(ghz, args, { maxBuffer: 256 * 1024 * 1024 });
  const after = cpuOf(pids);
  const report = JSON.parse(stdout) as GhzReport;
  const percentile = (wanted: number) =>
    (report.latencyDistribution?.find(({ percentage }) => percentage === wanted)?.latency ?? 0) / 1e6;
  const answered = report.statusCodeDistribution['OK'] ?? 0;
  const perCall = (ms: number) => ms / Math.max(1, report.count);
  return {
    perSecond: report.rps,
    p50Ms: percentile(50),
    p99Ms: percentile(99),
    failed: report.count - answered,
    serviceCpuMs: perCall(after.service - before.service),
    databaseCpuMs: after.database === undefined ? undefined : perCall(after.database - before.database!),
  };
}

function cpuOf({ service, database }: { service: number; database?: number }) {
  return {
    service: processCpuMs(service),
    database: database === undefined ? undefined : processCpuMs(database),
  };
}

/** Processor time that a process has used, in milliseconds (proc(5), utime and stime). */
function processCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** Resident memory of a process, in MiB. */
export function memoryMiB(pid: number): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib ?? 0) / 1024;
}
