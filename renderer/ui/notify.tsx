import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';

const offerMs = 8000;
const closeButtonProps = { 'aria-label': 'Close' };

interface UndoOffer {
  message: string;
  undo: () => void;
  /** Called when the offer has passed unused. */
  settle?: () => void;
}

/** Says what was deleted and offers to take it back for a few seconds. */
export function offerUndo({ message, undo, settle }: UndoOffer): void {
  let undone = false;
  const id = notifications.show({
    role: 'status',
    autoClose: offerMs,
    withBorder: true,
    closeButtonProps,
    message: (
      <span
        style={{ display: 'flex', alignItems: 'center', justifyContent: 'space-between', gap: 16 }}
      >
        {message}
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            undone = true;
            undo();
            notifications.hide(id);
          }}
        >
          Undo
        </Button>
      </span>
    ),
    onClose: () => {
      if (!undone) settle?.();
    },
  });
}

/** Says in passing that something was done. */
export const tell = (message: string): void => {
  notifications.show({
    message,
    role: 'status',
    autoClose: 2500,
    withBorder: true,
    closeButtonProps,
  });
};

/** Says that something did not work where there is no better place to say it. */
export const tellFailure = (message: string): void => {
  notifications.show({
    message,
    color: 'red',
    autoClose: offerMs,
    withBorder: true,
    closeButtonProps,
  });
};
