"""Words for positions that say both seniority and department, folded, in English, German, French and others."""

C_LEVEL = "ceo|cfo|coo|cto|cio|cmo|cro|cso|ciso|cpo|chro|cdo|cco|cao|clo|cbo|cxo|cpto"
ASSISTANT = r"""
    (?:executive|personal|management|administrative|office|team|board) assist[ae]n(?:t|tin|te|z)
    assist[ae]n(?:t|tin|te|z|ten)(?: (?:to|der|des|de|du|zur|an)\b.*)?$ | asistente(?: (?:de|del)\b.*)?$
    \w+assist(?:ent|entin|enz) | secretar(?:y|ia|io) | secretaire | \w*sekretar(?:in)? | receptionist
    rezeptionist(?:in)? | (?:ea|pa) to
    """
OWNER = r"""
    (?:co )?founder | cofounder | (?:co )?fondat(?:eur|rice) | (?:mit)?gr(?:u|ue)nder(?:in)?
    (?:co )?fundador(?:a)? | fondatore | founding partner | managing partner | inhaber(?:in)? | proprietor
    proprietaire | propietari[oa]
    (?<!product )(?<!process )(?<!service )(?<!data )(?<!risk )(?<!control )(?<!system )(?:co )?owner
    """
HEAD_OF_COMPANY = r"""
    gesch(?:a|ae)ftsf(?:u|ue)hr\w* | gesch(?:a|ae)ftsleit\w* | vorstand
    vorstands(?:vorsitz|mitglied|sprech)\w* | president directeur general | direct(?:eur|rice) generale?
    director(?:a)? general | gerente general | gerante? | administrat(?:eur|rice) deleguee?
    amministrat(?:ore|rice) delegat[oa] | consejer[oa] delegad[oa] | algemeen directeur
    verkstallande direktor | administrerende direktor | toimitusjohtaja | prezes(?: zarzadu)?
    managing director
    """
CHAIR = (
    r"(?<!vice )president(?:e|a|in)? | prasident(?:in)? | chair(?:man|woman|person)?(?: of the board)? | board member"
)
TRAINEE = r"""
    (?:intern|trainee|apprentice|praktikant|stagiaire|stagista)(?:in|s)? | (?:working |werk)student(?:in)?
    auszubildende\w* | azubi\w* | volontar(?:in)? | alternante? | apprentie? | practicante | becari[oa]
    internship
    """
