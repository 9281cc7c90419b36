// What is left of runs, and what becomes of them, when their servers are killed a hundred times at random moments.
import { watchEngine } from '../test/docker/engineWatch.ts';
import { killAgainAndAgain } from '../test/integration/killedRun.ts';
import { type Figure, toFigure } from './figure.ts';

const kills = 100;
/** Of one run; when it is over before there were enough kills, another one follows. */
const attempts = 40;

export async function measureKills(): Promise<Figure[]> {
  const engine = watchEngine();
  const found = new Map<string, string[]>();
  const count = (what: string, seen: readonly string[]) => found.set(what, [...(found.get(what) ?? []), ...seen]);
  let killed = 0;
  let trials = 0;
  while (killed < kills) {
    const run = await killAgainAndAgain({
      ...{ executor: 'docker', kills: kills - killed, attempts },
      look: () => engine.look(),
    });
    killed += run.kills;
    trials += run.trials;
    const { containers, networks, volumes } = engine.left(run);
    count('containers left', containers);
    count('networks left', networks);
    count('volumes left', volumes);
    count('processes left', run.left.processes);
    count('scratch directories left', run.left.directories);
    count('trials lost or wrong', run.wrong);
    count('trials run twice', run.twice);
  }
  return [...found].map(([what, seen]) =>
    toFigure({
      figure: `${what} after ${killed} × SIGKILL of the server at random moments`,
      ...{ unit: '', ours: seen.length, goal: '0', reach: left => left === 0 },
      note: [`${trials} trials in Docker, each gone on with by the next server`, ...seen.slice(0, 3)].join('; '),
    }),
  );
}
