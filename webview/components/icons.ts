import type { RunState } from '../../protocol/runs.ts';
import type { TrialState } from '../../protocol/trialState.ts';
import { el, type View } from './element.ts';

/** 16 × 16 outlines; a path that starts with `●` is filled. */
const outlines = {
  queued: [
    'M8 2a6 6 0 0 1 1.900.3M11.800 3.400a6 6 0 0 1 2 2.700M14 8.400a6 6 0 0 1-1 3M11.300 13a6 6 0 0 1-3 1M6 13.700a6 6 0 0 1-2.700-1.900M2.200 9.600a6 6 0 0 1 0-3.200M3.300 4.200A6 6 0 0 1 5.700 2.500',
  ],
  building: ['m8 1.600 5.600 3v6.800L8 14.400l-5.600-3V4.600z', 'm2.600 4.700 5.400 3 5.400-3M8 7.700v6.600'],
  agent: ['M13.600 8A5.600 5.600 0 1 1 10 2.800', 'm10 .9.1 2.100-2 .5'],
  verifying: [
    'M6 1.800h4M6.600 1.800v4.600L2.800 13a.9.9 0 0 0 .8 1.400h8.800a.9.9 0 0 0 .8-1.400L9.400 6.400V1.800M4.600 10h6.800',
  ],
  passed: ['M8 1.600a6.400 6.400 0 1 1 0 12.800A6.400 6.400 0 0 1 8 1.600z', 'm5.200 8.200 2 2 3.800-4.400'],
  partial: ['M8 1.600a6.400 6.400 0 1 1 0 12.800A6.400 6.400 0 0 1 8 1.600z', '●M8 1.600a6.400 6.400 0 0 0 0 12.800z'],
  failed: [
    'M8 1.600a6.400 6.400 0 1 1 0 12.800A6.400 6.400 0 0 1 8 1.600z',
    'm5.700 5.700 4.600 4.600m0-4.600-4.600 4.600',
  ],
  timedOut: ['M8 1.600a6.400 6.400 0 1 1 0 12.800A6.400 6.400 0 0 1 8 1.600z', 'M8 4.200V8l2.600 1.800'],
  budgetSpent: [
    'M8 1.600a6.400 6.400 0 1 1 0 12.800A6.400 6.400 0 0 1 8 1.600z',
    'M10 5.600c-.4-.8-1.200-1-2-1-1.200 0-2 .6-2 1.600 0 2.400 4 1.200 4 3.600 0 1-.9 1.600-2 1.600-.9 0-1.700-.3-2-1.100M8 3.400v9.200',
  ],
  diskSpent: ['M8 1.600a6.400 6.400 0 1 1 0 12.800A6.400 6.400 0 0 1 8 1.600z', 'M5 5.600h6v4.800H5zM5 8h6'],
  stalled: ['M8 1.600a6.400 6.400 0 1 1 0 12.800A6.400 6.400 0 0 1 8 1.600z', 'M6.200 5.600v4.800M9.800 5.600v4.800'],
  cancelled: ['M8 1.600a6.400 6.400 0 1 1 0 12.800A6.400 6.400 0 0 1 8 1.600z', 'm3.600 12.400 8.800-8.800'],
  lost: [
    'M8 1.600a6.400 6.400 0 1 1 0 12.800A6.400 6.400 0 0 1 8 1.600z',
    'M6.200 6.200c0-1 .8-1.700 1.800-1.700s1.800.7 1.800 1.600c0 1.200-1.800 1.400-1.800 2.700M8 11.200v.1',
  ],
  errored: ['M8 2 1.600 13.600h12.800z', 'M8 6.400v3.400M8 11.600v.1'],
  chevron: ['m6 3.600 4.400 4.400L6 12.400'],
  diff: ['M8 2v6.400M4.800 5.200h6.400M4.800 13h6.400'],
  flag: ['M4 14.400V1.800M4 2.600h8.400l-2 3 2 3H4'],
  file: ['M3.600 1.600h5.600l3.200 3.200v9.600H3.600z', 'M9 1.800V5h3.200'],
  message: ['M1.800 2.600h12.400v8.800H7.400L4.400 14v-2.600H1.800z'],
  command: ['m2.400 4.400 3.600 3.600-3.600 3.600M7.600 12h6'],
  edit: ['m10.600 2.600 2.800 2.800-8 8-3.400.6.600-3.400z'],
  reasoning: [
    'M6 11.600c0-1.600-2.200-2.400-2.200-5.200a4.200 4.200 0 0 1 8.400 0c0 2.800-2.200 3.600-2.200 5.200zM6.200 14.200h3.600',
  ],
  usage: ['M8 1.600a6.400 6.400 0 1 1 0 12.800A6.400 6.400 0 0 1 8 1.600z', 'M5.500 8h5M8 5.500v5'],
  log: ['M2.400 4h11.200M2.400 8h11.200M2.400 12h7'],
  done: ['m2.800 8.600 3.400 3.400 7-8'],
  server: ['M2.400 3h11.200v4H2.400zM2.400 9h11.200v4H2.400z', 'M4.800 5h.1M4.800 11h.1'],
} as const satisfies Record<string, readonly string[]>;

export type IconName = keyof typeof outlines;

/** Colour classes; they take the editor's chart colours. */
type Tone = 'pass' | 'fail' | 'part' | 'run' | 'error' | 'off' | 'plain';

export function icon(name: IconName, tone: Tone = 'plain', spin = false): View {
  return el(
    'svg',
    {
      key: `icon-${name}`,
      class: `i tone-${tone}${spin ? ' spin' : ''}`,
      attributes: { viewBox: '0 0 16 16', 'aria-hidden': 'true' },
    },
    outlines[name].map(path =>
      path.startsWith('●')
        ? el('path', { attributes: { d: path.slice(1), fill: 'currentColor' } })
        : el('path', { attributes: { d: path } }),
    ),
  );
}

const trialLooks: Readonly<Record<TrialState, readonly [IconName, Tone]>> = {
  queued: ['queued', 'off'],
  building: ['building', 'run'],
  agent: ['agent', 'run'],
  verifying: ['verifying', 'run'],
  passed: ['passed', 'pass'],
  partial: ['partial', 'part'],
  failed: ['failed', 'fail'],
  agentFailed: ['failed', 'fail'],
  timedOut: ['timedOut', 'fail'],
  budgetSpent: ['budgetSpent', 'fail'],
  diskSpent: ['diskSpent', 'fail'],
  stalled: ['stalled', 'fail'],
  cancelled: ['cancelled', 'off'],
  lost: ['lost', 'error'],
  errored: ['errored', 'error'],
};

export function trialIcon(state: TrialState): View {
  const [name, tone] = trialLooks[state];
  return icon(name, tone, state === 'agent');
}

const runLooks: Readonly<Record<RunState, readonly [IconName, Tone]>> = {
  running: ['agent', 'run'],
  finished: ['passed', 'pass'],
  cancelled: ['cancelled', 'off'],
  interrupted: ['lost', 'error'],
};

/** A run that has finished with trials that the machine failed does not look like one that is whole. */
export function runIcon(state: RunState, errored: number): View {
  const [name, tone] = state === 'finished' && errored > 0 ? trialLooks.errored : runLooks[state];
  return icon(name, tone, state === 'running');
}
