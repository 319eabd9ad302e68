"""The request types of the local JSM's three desks, and types with every kind of field that forms can have."""

from __future__ import annotations

from jsmsso.sandbox.jsm_request_types import (
    ATTACHMENT,
    COMMON,
    DESCRIPTION,
    SUMMARY,
    LocalChoice,
    LocalField,
    RequestTypeDraft,
    choices,
    custom,
)

PRIORITIES = (LocalChoice("1", "Highest"), LocalChoice("2", "High"), LocalChoice("3", "Medium"), LocalChoice("4", "Low"))
PRIORITY = LocalField("priority", "Urgency", {"type": "priority", "system": "priority"}, choices=PRIORITIES, defaults=(PRIORITIES[2],))
MODELS = choices(10200, "Standard 14 inch", "Developer 16 inch")
REASONS = choices(10210, "New colleague", "Replacement", "Lost or stolen")

IT_HELP = (
    RequestTypeDraft(
        "Get IT help",
        "Something does not work, or you have a question.",
        "We answer within one working day.",
        fields=(SUMMARY, DESCRIPTION, PRIORITY, ATTACHMENT),
    ),
    RequestTypeDraft("Report an outage", "A system is down for more than one person.", icon="10517"),
    RequestTypeDraft("Reset a password", "For systems outside the company login.", icon="10518", fields=(SUMMARY,)),
    RequestTypeDraft(
        "New laptop",
        "Order or replace a computer.",
        "Order or replace a computer. We answer within one working day.",
        ("Equipment",),
        "10519",
        (
            SUMMARY,
            custom(10120, "Model", "select", "option", choices=MODELS, defaults=MODELS[:1]),
            custom(10121, "Reason", "radiobuttons", "option", choices=REASONS),
            custom(10122, "Needed by", "datepicker", "date", required=True, description="Choose a day from tomorrow on."),
            DESCRIPTION,
            ATTACHMENT,
        ),
    ),
    RequestTypeDraft("Phone and SIM", "A new phone, a new card, or a lost one.", groups=("Equipment",), icon="10520"),
)
PEOPLE = (
    RequestTypeDraft("Ask a question", "About contracts, holidays and everything else."),
    RequestTypeDraft("Change my address", "You have moved.", icon="10519", fields=(SUMMARY, DESCRIPTION)),
)
FACILITIES = (
    RequestTypeDraft("Something is broken", "A door, a lamp, the heating.", icon="10517"),
    RequestTypeDraft("Move my desk", "To another room or floor.", icon="10519", fields=(SUMMARY, DESCRIPTION)),
)

COLOURS = choices(10300, "Red", "Green", "Blue")
PLACES = choices(10400, ("Berlin", ("Office", "Warehouse")), ("Lyon", ("Office",)), "Elsewhere")
DUE = LocalField("duedate", "Due date", {"type": "date", "system": "duedate"})
LABELS = LocalField("labels", "Labels", {"type": "array", "items": "string", "system": "labels"})
COMPONENTS = LocalField(
    "components", "Parts", {"type": "array", "items": "component", "system": "components"}, choices=choices(10500, "Mail", "Network")
)

EVERY_FIELD = (
    SUMMARY,
    DESCRIPTION,
    PRIORITY,
    DUE,
    LABELS,
    COMPONENTS,
    custom(10100, "Short text", "textfield", description="One line."),
    custom(10101, "Long text", "textarea"),
    custom(10102, "Number", "float", "number"),
    custom(10103, "Day", "datepicker", "date"),
    custom(10104, "Moment", "datetime", "datetime"),
    custom(10105, "Colour", "select", "option", choices=COLOURS, required=True),
    custom(10106, "Colours", "multiselect", "array", "option", choices=COLOURS, defaults=COLOURS[1:2]),
    custom(10107, "Place", "cascadingselect", "option-with-child", choices=PLACES),
    custom(10108, "Boxes", "multicheckboxes", "array", "option", choices=COLOURS),
    custom(10109, "One of them", "radiobuttons", "option", choices=COLOURS, defaults=COLOURS[:1]),
    custom(10110, "Manager", "userpicker", "user"),
    custom(10111, "Colleagues", "multiuserpicker", "array", "user"),
    custom(10112, "Tags", "labels", "array", "string"),
    custom(10113, "Page", "url"),
    ATTACHMENT,
    custom(10114, "Source of the request", "textfield", visible=False, defaults=(LocalChoice("portal", "portal"),)),
)
"""A field of each kind that a form can be made from; the last one is hidden, with a value of its own."""

ASSETS = custom(10130, "Affected computer", "com.atlassian.jira.plugins.cmdb:cmdb-object-cftype", "array", "cmdb-object-field")
UNKNOWN = custom(10131, "Sprint", "com.pyxis.greenhopper.jira:gh-sprint", "array", "json")

EVERY_KIND = RequestTypeDraft("Everything at once", "A field of every kind.", fields=EVERY_FIELD)
NOT_BUILDABLE = (
    RequestTypeDraft("Report a computer", "With a field for Assets.", fields=(SUMMARY, ASSETS)),
    RequestTypeDraft("Something unusual", "With a field that nobody knows.", fields=(SUMMARY, UNKNOWN)),
    RequestTypeDraft("New employee", "With a Jira form.", fields=(SUMMARY,), jira_form="New employee onboarding"),
)
NOT_FOR_EVERYONE = RequestTypeDraft("Order software", "For some organizations only.", groups=(COMMON,), restricted_to=frozenset())
NOT_ON_THE_PORTAL = RequestTypeDraft("Internal task", "For agents: it has no group.", groups=())
NO_ONE_ELSE = RequestTypeDraft("For myself alone", "", can_raise_on_behalf=False, can_add_participants=False)
