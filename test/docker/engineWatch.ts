import { execFileSync } from 'node:child_process';
import type { KilledRun } from '../integration/killedRun.ts';

/** Looks at what runs make in the engine, while they do and afterwards; others may use it at the same time. */
export interface EngineWatch {
  /** Remembers the volumes of our containers that are there just now. */
  look(): void;
  seenVolumes(): number;
  /** What is left of a run: its containers, the volumes that were seen, and networks that were not there before. */
  left(run: Pick<KilledRun, 'runId' | 'home'>): {
    readonly containers: readonly string[];
    readonly networks: readonly string[];
    readonly volumes: readonly string[];
  };
}

export function watchEngine(): EngineWatch {
  /** Labels of the container that a volume was seen in. */
  const volumes = new Map<string, string>();
  const networks = ask('network', 'ls', '--quiet');
  return {
    look() {
      const format = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}{{json .Config.Labels}}';
      for (const id of ask('ps', '--all', '--quiet', '--filter', 'label=coach.owner')) {
        for (const line of ask('inspect', '--format', format, id)) {
          const names = line.slice(0, line.indexOf('{')).trim().split(' ');
          for (const volume of names) if (volume !== '') volumes.set(volume, line);
        }
      }
    },
    seenVolumes: () => volumes.size,
    left({ runId, home }) {
      const isOfRun = (labels: string) => labels.includes(`${runId}.`) || labels.includes(home);
      const labelled = ask('ps', '--all', '--filter', 'label=coach.owner', '--format', '{{.Names}} {{.Labels}}');
      return {
        containers: labelled.filter(isOfRun),
        networks: ask('network', 'ls', '--quiet').filter(network => !networks.includes(network)),
        volumes: ask('volume', 'ls', '--quiet').filter(volume => isOfRun(volumes.get(volume) ?? '')),
      };
    },
  };
}

/** Lines of what the engine's client answers; none when what was asked for went meanwhile. */
function ask(...args: string[]): string[] {
  try {
    return execFileSync('docker', args, { encoding: 'utf8', stdio: 'pipe' }).split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
