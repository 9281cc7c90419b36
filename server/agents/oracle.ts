import type { Agent } from './agent.ts';

/** Applies the task's reference solution: what it scores is the best that the task allows. */
export const oracle: Agent = {
  id: 'oracle',
  title: 'Oracle (reference solution)',
  dialect: null,
  apiHosts: [],
  package: null,
  kind: 'oracle',
  defaultModel: null,
  keyName: null,
  launch: () => {
    throw new Error('The oracle is no program.');
  },
  parseLine: () => [],
};
