/* How far the sitting is: by the server's count, and what is on its way there. */

const element = (id) => document.getElementById(id);

function tell(id, text) {
  if (element(id).textContent !== text) {
    element(id).textContent = text;
  }
}

/** Rounded up, for nobody minds to be done sooner. */
export function timeLeft(seconds) {
  if (!(seconds > 0)) {
    return "";
  }
  const minutes = Math.ceil(seconds / 60);
  return minutes === 1 ? "About a minute left" : `About ${minutes} minutes left`;
}

export function tellProgress({ saved, planned, seconds_left: secondsLeft }) {
  tell("saved", `Saved ${saved} of ${planned}`);
  tell("time-left", timeLeft(secondsLeft));
  element("sitting-bar").max = planned;
  element("sitting-bar").value = saved;
}

export function tellOnTheirWay(count) {
  tell("on-its-way", count ? `${count} more on ${count === 1 ? "its" : "their"} way` : "");
}
