import { provideVSCodeDesignSystem, vsCodeButton } from '@vscode/webview-ui-toolkit';
import { type Child, el, type View } from './element.ts';

/** The only place that knows the component library; its successor has the same tags. */
export function registerComponents(): void {
  provideVSCodeDesignSystem().register(vsCodeButton());
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

/** Looks like a link and does something in the editor. The library's own link is a button within a button to a screen reader. */
export function actionLink(text: string, onClick: () => void, title?: string): View {
  return el('button', { class: 'link', ...(title === undefined ? {} : { title }), on: { click: onClick } }, text);
}
