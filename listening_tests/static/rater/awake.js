/* Keeps the screen awake through a clip that is longer than the device's patience. Pages over plain http have no wake
   lock: there a tiny video without sound, shown to nobody, plays in a loop. */

async function lock() {
  if (!document.hidden) {
    await navigator.wakeLock.request("screen");
  }
}

function playFromFirstGesture(video) {
  const play = () => video.play().catch(() => {});
  addEventListener("pointerup", play, { once: true });
  addEventListener("keyup", play, { once: true });
  document.addEventListener("visibilitychange", () => document.hidden || play());
}

export async function stayAwake(video) {
  if (!("wakeLock" in navigator)) {
    playFromFirstGesture(video);
    return;
  }
  // The lock is lost whenever the page is hidden. Refused (a battery that runs low), the device's will is done.
  document.addEventListener("visibilitychange", () => lock().catch(() => {}));
  await lock().catch(() => {});
}
