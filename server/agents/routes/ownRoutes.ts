import { claudeRoute } from './claudeRoute.ts';
import { codexRoute } from './codexRoute.ts';
import { geminiRoute } from './geminiRoute.ts';
import { opencodeRoute } from './opencodeRoute.ts';
import type { OwnRoute, StartedAgent } from './ownRoute.ts';
import { qwenRoute } from './qwenRoute.ts';

type RouteReader = (started: StartedAgent) => Promise<OwnRoute>;

/** Agents with a configuration of their own that says where the model is. @throws CoachError `input.invalid` for one that can't be read */
export const ownRoutes: Readonly<Record<string, RouteReader>> = {
  claude: claudeRoute,
  codex: codexRoute,
  gemini: geminiRoute,
  opencode: opencodeRoute,
  qwen: qwenRoute,
};
