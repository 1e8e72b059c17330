/** Whether the person has begun to fill in a form of the page, which a reload would empty. */
export function isFormBegun() {
  return [...document.querySelectorAll("form :is(input, textarea)")].some(
    (field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked,
  );
}
