import type { Agent } from './agent.ts';

/** Applies patches that were made elsewhere: the predictions of a SWE-bench file, given as its `command`. */
export const predictions: Agent = {
  id: 'predictions',
  title: 'Predictions (patches from a file)',
  dialect: null,
  apiHosts: [],
  package: null,
  kind: 'patch',
  defaultModel: null,
  keyName: null,
  launch: () => {
    throw new Error('Predictions are no program.');
  },
  parseLine: () => [],
};
