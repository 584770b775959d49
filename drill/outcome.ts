/** What a drill found. */
export interface Outcome {
  /** What was done, in words. */
  done: string;
  acknowledged?: number;
  refused?: number;
  /** Acknowledged writes that are not in the database. */
  lost?: number;
  /** Users of which a part is missing: role, count, audit record, mail; or parts without their user. */
  halfMade?: number;
  /** Time until a write was acknowledged again after what was broken was back, in milliseconds. */
  recoveryMs?: number;
  /** What else was seen. */
  notes: string[];
  /** Promises that were broken; none is a pass. */
  broken: string[];
}

/** A drill that cannot be held here, and why. */
export class NotPossible extends Error {}

/** One line of the report. */
export interface Line {
  name: string;
  outcome: Outcome | NotPossible | Error;
  seconds: number;
}

/** The report as a Markdown table. */
export function report(lines: readonly Line[]): string {
  const head = [
    'drill',
    'what was done',
    'acknowledged',
    'refused',
    'lost',
    'half-made',
    'back after',
    'seen',
  ];
  const rows = lines.map(({ name, outcome, seconds }) =>
    outcome instanceof Error
      ? [
          name,
          outcome.message.split('\n')[0]!,
          '',
          '',
          '',
          '',
          '',
          '',
          outcome instanceof NotPossible ? 'not held' : 'FAILED',
        ]
      : [name, ...cells(outcome), `${verdict(outcome)} (${seconds.toFixed(0)} s)`],
  );
  return table([...head, 'verdict'], rows);
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** No promise was broken. */
export function isPassed({ outcome }: Line): boolean {
  return outcome instanceof NotPossible || (!(outcome instanceof Error) && outcome.broken.length === 0);
}

function cells(outcome: Outcome): string[] {
  const { done, acknowledged, refused, lost, halfMade, recoveryMs, notes } = outcome;
  const count = (value: number | undefined) => (value === undefined ? '-' : String(value));
  const back = recoveryMs === undefined ? '-' : `${(recoveryMs / 1000).toFixed(1)} s`;
  return [done, ...[acknowledged, refused, lost, halfMade].map(count), back, notes.join('; ')];
}

function verdict({ broken }: Outcome): string {
  return broken.length === 0 ? 'kept' : `BROKEN: ${broken.join('; ')}`;
}
