import { provideVSCodeDesignSystem, vsCodeButton, vsCodeLink } from '@vscode/webview-ui-toolkit';
import { type Child, el, type View } from './element.ts';

/** The only place that knows the component library; its successor has the same tags. */
export function registerComponents(): void {
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeLink());
}

interface ButtonProps {
  readonly id?: string;
  readonly primary?: boolean;
  readonly disabled?: boolean;
  readonly title?: string;
  readonly onClick: () => void;
}

export function button(props: ButtonProps, ...children: readonly Child[]): View {
  return el(
    'vscode-button',
    {
      ...(props.title === undefined ? {} : { title: props.title }),
      attributes: {
        id: props.id,
        appearance: props.primary === true ? 'primary' : 'secondary',
        disabled: props.disabled === true ? '' : undefined,
      },
      on: { click: props.onClick },
    },
    ...children,
  );
}

/** Looks like a link and does something in the editor. */
export function actionLink(text: string, onClick: () => void, title?: string): View {
  return el(
    'vscode-link',
    {
      ...(title === undefined ? {} : { title }),
      attributes: { href: '#', role: 'button' },
      on: {
        click: event => {
          event.preventDefault();
          onClick();
        },
      },
    },
    text,
  );
}
