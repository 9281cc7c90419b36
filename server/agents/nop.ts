import type { Agent } from './agent.ts';

/** Does nothing: what it scores, a task gives away for free. */
export const nop: Agent = {
  id: 'nop',
  title: 'No-op (changes nothing)',
  dialect: null,
  apiHosts: [],
  package: null,
  kind: 'nop',
  defaultModel: null,
  keyName: null,
  launch: () => {
    throw new Error('The no-op agent is no program.');
  },
  parseLine: () => [],
};
