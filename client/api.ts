import { agents } from '../protocol/agents.ts';
import { type Remote, remote } from '../protocol/api.ts';
import type { Channel } from '../protocol/channel.ts';
import { proxy } from '../protocol/proxy.ts';
import { reviews } from '../protocol/reviews.ts';
import { runs } from '../protocol/runs.ts';
import { server } from '../protocol/server.ts';
import { sessions } from '../protocol/sessions.ts';
import { suites } from '../protocol/suites.ts';
import { tasks } from '../protocol/tasks.ts';

/** The domains that the editor uses. */
export const servedApis = [tasks, suites, runs, reviews, sessions, proxy, agents, server] as const;

export interface CoachApi {
  readonly tasks: Remote<typeof tasks>;
  readonly suites: Remote<typeof suites>;
  readonly runs: Remote<typeof runs>;
  readonly reviews: Remote<typeof reviews>;
  readonly sessions: Remote<typeof sessions>;
  readonly proxy: Remote<typeof proxy>;
  readonly agents: Remote<typeof agents>;
  readonly server: Remote<typeof server>;
}

export function remoteApi(channel: Channel): CoachApi {
  return {
    tasks: remote(tasks, channel),
    suites: remote(suites, channel),
    runs: remote(runs, channel),
    reviews: remote(reviews, channel),
    sessions: remote(sessions, channel),
    proxy: remote(proxy, channel),
    agents: remote(agents, channel),
    server: remote(server, channel),
  };
}
