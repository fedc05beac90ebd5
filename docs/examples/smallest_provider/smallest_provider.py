"""The smallest provider: asks a company directory over HTTP for the industry and the city of an account."""

from auto_enrichment import (
    NO_MATCH,
    Adapter,
    Answer,
    EntityType,
    Finding,
    Http,
    PluginContext,
    ProviderInfo,
    Question,
    failure,
    is_asked_company,
    wrong_entity,
)


class SmallestProvider(Adapter):
    """Words the request and reads the reply; the service brings connections, limits and keys."""

    info = ProviderInfo(
        id="smallest",
        name="The smallest provider",
        needs="a company's domain",
        gives={EntityType.ACCOUNT: frozenset({"industry", "city"})},
        price=1,
        needs_key=True,
    )
    bases = {"": "https://directory.example.com"}

    def input_key(self, question: Question) -> str | None:
        return question.fields.get("domain")

    async def look_up(self, question: Question, http: Http) -> Answer:
        params, headers = {"domain": question.fields["domain"]}, {"X-Api-Key": http.key}
        reply = await http.send("GET", "/companies", params=params, headers=headers)
        if reply.status == 404:
            return NO_MATCH
        if reply.status != 200:
            raise failure(self.info.name, reply)
        company = reply.json()
        if not is_asked_company(question, [company["domain"]], company["name"]):
            raise wrong_entity(self.info.name)
        return Answer(matched=True, findings=tuple(Finding(name, company[name], 0.9) for name in ("industry", "city")))


def make(context: PluginContext) -> SmallestProvider:
    """The factory that the entry point names."""
    return SmallestProvider()
