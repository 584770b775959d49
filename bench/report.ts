import type { Result } from './load.js';

/** One measured cell. */
export interface Row {
  users: number;
  call: string;
  connections: number;
  result: Result;
  idleMiB: number;
  loadMiB: number;
  startMs: number;
}

/** What the reference reached with 10,000 users and 16 connections on such a machine, in calls a second. */
const REFERENCE: Record<string, number> = {
  'UserProfile.get': 285,
  'WorkspaceUser.get': 10,
  'WorkspaceUser.list 20': 8.3,
  'WorkspaceUser.find': 2.2,
  'WorkspaceUser.stat': 9.1,
  'Token.issue': 5.9,
};

/** The whole measure as Markdown tables. */
export function report(
  rows: readonly Row[],
  about: { database: string; bcryptPerSecond: number; cost: number },
): string {
  return [
    `Database: ${about.database}. bcrypt alone (cost ${about.cost}, all cores): ${about.bcryptPerSecond.toFixed(1)} a second.`,
    '',
    ...table(
      [
        'users',
        'call',
        'conn.',
        'calls/s',
        'p50 ms',
        'p99 ms',
        'of empty',
        'service CPU ms',
        'database CPU ms',
        'failed',
      ],
      rows.map((row) => [
        String(row.users),
        row.call,
        String(row.connections),
        row.result.perSecond.toFixed(0),
        row.result.p50Ms.toFixed(2),
        row.result.p99Ms.toFixed(2),
        ratioToEmpty(rows, row),
        row.result.serviceCpuMs.toFixed(3),
        row.result.databaseCpuMs?.toFixed(3) ?? '-',
        String(row.result.failed),
      ]),
    ),
    '',
    ...table(
      ['call', 'growth of p50', 'growth of service CPU', 'times the reference (10,000 users, 16 conn.)'],
      growth(rows),
    ),
    '',
    ...table(['users', 'start-up ms', 'idle MiB', 'after load MiB'], perScale(rows)),
  ].join('\n');
}

function table(head: string[], lines: string[][]): string[] {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...lines.map(line)];
}

function cell(rows: readonly Row[], users: number, call: string, connections: number): Row | undefined {
  return rows.find((row) => row.users === users && row.call === call && row.connections === connections);
}

function ratioToEmpty(rows: readonly Row[], row: Row): string {
  const empty = cell(rows, row.users, 'empty handler', row.connections);
  return empty ? (row.result.perSecond / empty.result.perSecond).toFixed(2) : '-';
}

/** From the smallest to the largest domain, at 16 connections. */
function growth(rows: readonly Row[]): string[][] {
  const scales = [...new Set(rows.map(({ users }) => users))];
  return Object.keys(REFERENCE).map((call) => {
    const [first, last] = [scales[0]!, scales.at(-1)!].map((users) => cell(rows, users, call, 16)?.result);
    const compared = cell(rows, 10_000, call, 16)?.result;
    const times = (value?: number, base?: number) =>
      value !== undefined && base ? `x ${(value / base).toFixed(2)}` : '-';
    return [
      call,
      times(last?.p50Ms, first?.p50Ms),
      times(last?.serviceCpuMs, first?.serviceCpuMs),
      times(compared?.perSecond, REFERENCE[call]),
    ];
  });
}

function perScale(rows: readonly Row[]): string[][] {
  return [...new Set(rows.map(({ users }) => users))].map((users) => {
    const own = rows.filter((row) => row.users === users);
    const [first] = own;
    return [
      String(users),
      first!.startMs.toFixed(0),
      first!.idleMiB.toFixed(0),
      Math.max(...own.map(({ loadMiB }) => loadMiB)).toFixed(0),
    ];
  });
}
