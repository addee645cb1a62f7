/** The panel's copy of the host's state, and how each message changes it. Pure. */
import type { HostMessage, PanelState } from '../../../src/protocol/panel';

export interface Held {
  readonly sequence: number;
  readonly state: PanelState;
}

/**
 * Applies `message` to the state.
 * @returns 'lost' when an earlier message is missing, so that the panel must ask for the whole state again
 */
export function receive(held: Held | undefined, message: HostMessage): Held | 'lost' {
  const { sequence } = message;
  if (message.type === 'init') return { sequence, state: message.state };
  if (!held || sequence !== held.sequence + 1) return 'lost';
  return { sequence, state: { ...held.state, ...changesOf(held.state, message) } };
}

function changesOf(state: PanelState, message: Exclude<HostMessage, { type: 'init' }>): Partial<PanelState> {
  switch (message.type) {
    case 'update':
      return message.changes;
    case 'show':
      return {};
    case 'training': {
      const { training } = state;
      if (!training) return {};
      const { steps, evaluations } = message;
      return {
        training: {
          ...training,
          steps: [...training.steps, ...steps],
          evaluations: [...training.evaluations, ...evaluations],
        },
      };
    }
    case 'text': {
      const { writing } = state;
      if (!writing) return {};
      const texts = writing.texts.map((text, column) => {
        const added = message.pieces.filter((piece) => piece.column === column).map((piece) => piece.text);
        return { ...text, ...message.texts[column], text: text.text + added.join('') };
      });
      return { writing: { ...writing, status: 'running', texts } };
    }
  }
}
