"""What our JSON is made of, the most frequent last: see `enrichment.packed_json`. Never changed, only added to."""

_WORDS = (
    '"subIndustry","description","logoUrl","twitterUrl","facebookUrl","techStack","tags","naicsCode","sicCode",'
    '"parentCompany","mobilePhone","annualRevenue","street","twitterHandle","avatarUrl","linkedinUrl","domain",'
    '"error","retryable","rate_limited","provider_unavailable","timeout","not_enough_input","suppressed","cooldown",'
    '"insufficient_credits","nothing_to_fill","switched_off","circuit_open","below_threshold","protected","no_data",'
    '"record_updated","scheduled_refresh","credits_restored","manual","pending","failed","skipped","partial",'
    '"job_change","low_confidence","reviewer","contact","unreadable","true,"byHand":true,"forced":true,'
    '"borrowed":{"promised":{"detail":"misses":Software Services Technology Financial Insurance Health Energy '
    "Germany United Kingdom France Spain Italy Netherlands Sweden Canada Switzerland Singapore India Japan Brazil "
    "Engineering Marketing Sales Finance Operations Procurement Information Technology Human Resources "
    "C-Level VP Director Manager Senior Entry Limited Corporation Group Holdings International GmbH Inc. Ltd "
    "https://linkedin.com/company/https://www..com.co.uk.de.org.net@gmail.com+4420+4930+1415555 "
)
_CANDIDATES = (
    '[{"field":"title","value":"","confidence":0.9,"statedConfidence":0.9,"observedAt":"2024-01-01T00:00:00Z"},'
    '{"field":"numberOfEmployees","value":100,"confidence":0.95,"statedConfidence":0.95,'
    '"observedAt":"2026-08-01T00:00:00Z"},'
    '{"field":"companyDomain","value":"","confidence":0.97,"statedConfidence":0.97,'
    '"observedAt":"2026-11-27T20:00:00.582921Z"},'
    '{"field":"website","value":"https://.com","confidence":0.98,"statedConfidence":0.98,'
    '"observedAt":"2022-01-01T00:00:00Z"}]'
)
_LEAD = (
    '{"format":3,"edition":3,"entityType":"lead","trigger":"record_created","forced":false,"byHand":false,"config":1,'
    '"attempt":[1,5,1795809600722604,1795809620649814,false],"askedAt":1795809619393103,"status":"completed",'
    '"code":null,"enrichedAt":null,"fields":{"email":"info@.com","phone":"+49","title":"Director","company":"",'
    '"website":"https://.com","country":"United States","fullName":"","lastName":"","createdAt":"2024-01-01",'
    '"firstName":"","leadSource":"csv_upload"},"current":{"firstName":["crm",1.0,1795809600722604,1795809600722604,'
    'false,null],"lastName":["crm",1.0,1795809600722604,1795809600722604,false,null],"title":["crm",1.0,'
    '1795809600722604,1795809600722604,false,null],"email":["crm",1.0,1795809600722604,1795809600722604,false,null],'
    '"phone":["crm",1.0,1795809600722604,1795809600722604,false,null],"company":["crm",1.0,1795809600722604,'
    '1795809600722604,false,null],"country":["crm",1.0,1795809600722604,1795809600722604,false,null]},"rejected":[],'
    '"said":[{"source":"directory","outcome":"match","key":"","found":[["company","",0.98,1640995200000000],'
    '["industry","",0.96,1640995200000000],["numberOfEmployees",1000,0.873,1635552000000000],["companyDomain",'
    '".com",0.98,1640995200000000],["website","https://.com",0.98,1640995200000000]]},{"source":"directory_archive",'
    '"outcome":"no_match","key":"","lent":{"company":"","companyDomain":"","website":"https://"}},{"source":"signals",'
    '"outcome":"match","key":"","found":[["companyDomain",".com",0.97,1795809620582921],["seniorityLevel","Director",'
    '0.97,1795809620582921],["department","Procurement",0.94,1795809620582921],["firstName","",0.97,1795809620582921],'
    '["lastName","",0.97,1795809620582921]],"lent":{"companyDomain":"","website":"https://"}}],"recalled":[],'
    '"paid":{},"halfLives":{},"effects":[["firstName","written","signals",0.9311999999999999,1795809620582921,""],'
    '["department","written","signals",0.9211999999999999,1795809620582921,""],["seniorityLevel","written","signals",'
    '0.9506,1795809620582921,""],["company","conflict","directory",0.98,null,"","existing_differs","employment",true],'
    '["companyDomain","conflict","directory",0.98,null,"","existing_differs","employment",false],["industry",'
    '"written","directory",0.96,1640995200000000,""],["website","written","directory",0.98,1640995200000000,"https://"]]}'
)
_SKIPPED = (
    '"said":[{"source":"directory","outcome":"skipped","skipped":"not_enough_input"},{"source":"directory_archive",'
    '"outcome":"skipped","skipped":"not_enough_input"},{"source":"signals","outcome":"no_match","key":"'
)
_ACCOUNT = (
    '{"format":3,"edition":3,"entityType":"account","trigger":"record_created","forced":false,"byHand":false,'
    '"config":1,"attempt":[1,5,1795809600722604,1795809619415441,false],"askedAt":1795809610354790,'
    '"status":"completed","code":null,"enrichedAt":null,"fields":{"city":"","name":"","owner":"queue-us",'
    '"phone":"+1","source":"web_form","country":"United States","website":"https://.com","industry":"Technology",'
    '"createdAt":"2023-03-18","foundedYear":2000,"numberOfEmployees":1000},"current":{"name":["crm",1.0,'
    '1795809600722604,1795809600722604,false,null],"city":["crm",1.0,1795809600722604,1795809600722604,false,null],'
    '"phone":["crm",1.0,1795809600722604,1795809600722604,false,null],"country":["crm",1.0,1795809600722604,'
    '1795809600722604,false,null],"website":["crm",1.0,1795809600722604,1795809600722604,false,null],"industry":'
    '["crm",1.0,1795809600722604,1795809600722604,false,null],"numberOfEmployees":["crm",1.0,1795809600722604,'
    '1795809600722604,false,null]},"rejected":[],"said":[{"source":"directory","outcome":"match","key":"","found":'
    '[["name","",0.98,1640995200000000],["city","",0.98,1640995200000000],["country","United States",0.98,'
    '1640995200000000],["foundedYear",1985,0.97,1640995200000000],["industry","",0.96,1640995200000000],'
    '["postalCode","",0.891,1640995200000000],["state","California",0.891,1640995200000000],["stockSymbol","",0.842,'
    '1640995200000000],["domain",".com",0.98,1640995200000000],["website","https://.com",0.98,1640995200000000]]},'
    '{"source":"directory_archive","outcome":"match","key":"","found":[["name","",0.95,1785542400000000],["city","",'
    '0.871,1785542400000000],["country","United States",0.95,1785542400000000],["foundedYear",1961,0.792,'
    '1785542400000000],["industry","",0.792,1785542400000000],["numberOfEmployees",1000,0.495,1420070400000000],'
    '["state","",0.95,1785542400000000],["stockSymbol","",0.941,1785542400000000],["subIndustry","",0.95,'
    '1785542400000000],["domain",".com",0.98,1785542400000000],["website","https://.com",0.98,1785542400000000]],'
    '"lent":{"stockSymbol":"","domain":".com","website":"https://"}}],"recalled":[],"paid":{},"halfLives":{},'
    '"effects":[["name","verified","directory_archive",0.99,1785542400000000],["domain","written","directory",0.98,'
    '1640995200000000,".com"],["website","same","directory",0.98],["industry","written","directory",'
    '0.9500545302340877,1785542400000000,""],["subIndustry","written","directory_archive",0.9309999999999999,'
    '1785542400000000,""],["numberOfEmployees","same","directory_archive",0.4851],["foundedYear","conflict",'
    '"directory",0.97,null,2018,"providers_disagree"],["city","conflict","directory_archive",0.85358,null,"",'
    '"existing_differs","address",true],["state","conflict","directory_archive",0.9309999999999999,null,"",'
    '"existing_differs","address",false],["postalCode","conflict","directory",0.891,null,"","providers_disagree",'
    '"address",false],["country","verified","directory_archive",0.99,1785542400000000],["stockSymbol","written",'
    '"directory_archive",0.9221799999999999,1785542400000000,""]]}'
)
DICTIONARY_1 = (_WORDS + _CANDIDATES + _LEAD + _SKIPPED + _ACCOUNT).encode()
