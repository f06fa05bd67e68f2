import { useComputedColorScheme } from '@mantine/core';
import { useImperativeHandle, useLayoutEffect, useRef, useState, type RefObject } from 'react';
import { canvasSurface, type Box, type Surface } from '../charts/surface.ts';
import classes from './CanvasView.module.css';
import { colorsOf } from './wholePicture.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface CanvasHandle {
  /** Scrolls as little as it takes to show a part. */
  reveal(box: Box): void;
}

interface CanvasViewProps {
  /** Said to those who do not see the picture. */
  label: string;
  /** How large the picture is in the room there is; what is larger scrolls. */
  size: (room: Size) => Size;
  /** Draws what is shown of the picture. */
  draw: (surface: Surface, shown: Box) => void;
  /** Draws what changes with the pointer, over the picture. */
  marks?: (surface: Surface, shown: Box) => void;
  /** The pointer's place in the picture; null when it leaves. */
  onPoint?: (point: readonly [number, number] | null) => void;
  onPress?: (point: readonly [number, number], event: { shiftKey: boolean }) => void;
  /** Moves by dragging. */
  onDrag?: (dx: number, dy: number) => void;
  onWheel?: (point: readonly [number, number], delta: number) => void;
  onRoom?: (room: Size) => void;
  handle?: RefObject<CanvasHandle | null>;
}

/**
 * A picture on canvas, sharp at every density of pixels. The picture and the marks over it lie on two
 * canvases, so that a pointer that moves draws no more than its marks; both are as large as what is
 * shown, however large the whole is.
 */
export function CanvasView(props: CanvasViewProps) {
  const { label, size, draw, marks, onRoom, handle } = props;
  const frame = useRef<HTMLDivElement>(null);
  const picture = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const [room, setRoom] = useState<Size | null>(null);
  const [scrolled, setScrolled] = useState({ x: 0, y: 0 });
  const scheme = useComputedColorScheme('light');
  const pressed = useRef<{ x: number; y: number; moved: boolean } | null>(null);
  const whole = room ? size(room) : { width: 0, height: 0 };
  const { x, y } = scrolled;

  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => {
      setRoom({ width: element.clientWidth, height: element.clientHeight });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (room) onRoom?.(room);
  }, [room, onRoom]);

  useLayoutEffect(() => {
    if (picture.current && room) drawOn(picture.current, { x, y, ...room }, draw);
    // The colours of the theme are read while it draws.
    // oxlint-disable-next-line react/exhaustive-effect-dependencies
  }, [draw, room, x, y, scheme]);
  useLayoutEffect(() => {
    if (overlay.current && room) drawOn(overlay.current, { x, y, ...room }, marks ?? (() => {}));
    // oxlint-disable-next-line react/exhaustive-effect-dependencies
  }, [marks, room, x, y, scheme]);

  useImperativeHandle(
    handle,
    () => ({
      reveal(box) {
        const element = frame.current;
        if (!element) return;
        const { scrollLeft, scrollTop, clientWidth, clientHeight } = element;
        const right = box.x + box.width + 8;
        const bottom = box.y + box.height + 8;
        element.scrollLeft = nearest(scrollLeft, clientWidth, box.x - 8, right);
        element.scrollTop = nearest(scrollTop, clientHeight, box.y - 32, bottom);
      },
    }),
    [],
  );

  const { onWheel } = props;
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element || !onWheel) return undefined;
    // React listens passively: the page would scroll as well.
    const listen = (event: WheelEvent): void => {
      event.preventDefault();
      onWheel(pointOf(element, event), event.deltaY);
    };
    element.addEventListener('wheel', listen, { passive: false });
    return () => element.removeEventListener('wheel', listen);
  }, [onWheel]);

  return (
    <div
      ref={frame}
      className={classes.frame}
      data-fits={(room && whole.height <= room.height && whole.width <= room.width) || undefined}
      onScroll={({ currentTarget: { scrollLeft, scrollTop } }) =>
        setScrolled({ x: scrollLeft, y: scrollTop })
      }
      onPointerMove={(event) => {
        const start = pressed.current;
        if (start && props.onDrag) {
          const dx = event.clientX - start.x;
          const dy = event.clientY - start.y;
          if (start.moved || Math.hypot(dx, dy) > 3) {
            pressed.current = { x: event.clientX, y: event.clientY, moved: true };
            props.onDrag(dx, dy);
            return;
          }
        }
        props.onPoint?.(pointOf(event.currentTarget, event));
      }}
      onPointerLeave={() => {
        pressed.current = null;
        props.onPoint?.(null);
      }}
      onPointerDown={(event) => {
        pressed.current = { x: event.clientX, y: event.clientY, moved: false };
      }}
      onPointerUp={(event) => {
        const isClick = pressed.current?.moved === false;
        pressed.current = null;
        if (isClick) props.onPress?.(pointOf(event.currentTarget, event), event);
      }}
    >
      <div style={{ width: whole.width, height: whole.height }}>
        <div className={classes.layers}>
          {/* oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- what it shows is a picture */}
          <canvas ref={picture} role="img" aria-label={label} />
          <canvas ref={overlay} aria-hidden="true" />
        </div>
      </div>
    </div>
  );
}

/** Where to scroll, if at all, so that a stretch lies within what is shown. */
const nearest = (at: number, length: number, start: number, end: number): number =>
  start < at ? start : end > at + length ? end - length : at;

function pointOf(
  element: HTMLElement,
  { clientX, clientY }: { clientX: number; clientY: number },
): readonly [number, number] {
  const { left, top } = element.getBoundingClientRect();
  return [clientX - left + element.scrollLeft, clientY - top + element.scrollTop];
}

/** Draws a part of a picture, which begins at the box, onto the whole of a canvas. */
function drawOn(
  canvas: HTMLCanvasElement,
  shown: Box,
  draw: (surface: Surface, shown: Box) => void,
): void {
  const density = window.devicePixelRatio;
  const { x, y, width, height } = shown;
  const wide = Math.round(width * density);
  const high = Math.round(height * density);
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext('2d');
  if (!context) return;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, wide, high);
  context.setTransform(density, 0, 0, density, -x * density, -y * density);
  draw(canvasSurface(context, colorsOf(canvas)), shown);
}
