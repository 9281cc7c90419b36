import { existsSync } from 'node:fs';
import { readConfiguration } from '../configurationFile.ts';
import { type Check, type Examined, type Finding, finding } from '../finding.ts';
import { type Registration, registrations } from '../registration.ts';
import { isPresent } from '../setup.ts';

const area = 'mcp';

/** Whether each agent of this machine knows our MCP server, and could start it. */
export const checkMcp: Check = async examined => {
  const present = registrations.filter(registration => isPresent(registration, examined.env));
  return Promise.all(present.map(registration => checkRegistration(registration, examined)));
};

async function checkRegistration(registration: Registration, { env, paths }: Examined): Promise<Finding> {
  const { id, title } = registration;
  const { file } = registration.place(env, process.platform);
  const fix = `codex-coach setup --agent ${id}`;
  let text: string | null;
  try {
    text = await readConfiguration(file);
  } catch (error) {
    return finding(area, 'broken', `${title}: ${(error as Error).message}`, { where: file });
  }
  const command = text === null ? null : registration.read(text);
  if (command === null) return finding(area, 'note', `${title} does not know our tools.`, { where: file, fix });
  const missing = [command.command, ...command.args.slice(0, 1)].filter(path => !existsSync(path));
  if (missing.length > 0) {
    const what = `${title} starts our tools with ${missing.map(path => path || '(nothing)').join(' and ')}, which is not there.`;
    return finding(area, 'broken', what, { where: file, why: 'The agent starts without them, or not at all.', fix });
  }
  if (command.env['COACH_HOME'] !== paths.home) {
    const what = `${title} records to ${command.env['COACH_HOME'] ?? 'the default COACH_HOME'}, not to ${paths.home}.`;
    return finding(area, 'warning', what, { where: file, fix });
  }
  return finding(area, 'ok', `${title} has our tools.`, { where: file });
}
